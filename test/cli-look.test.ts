/** `isometry check` and `inspect`: the question that the project began with, files and formulas, and what cannot be looked at. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeModel } from '../src/onnx/codec.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder } from './images.ts'
import { isometry } from './in-process.ts'
import { model, node, tensor, type Written, weights } from './onnx.ts'

const files = {
  'loss.ts': `import { losses, metrics, type losses as L } from 'isometry'
    import { helper } from './helper'
    enum Kind { Hinge = 1 }
    export default losses.triplet({ metric: metrics.cosine, margin: helper(Kind.Hinge) }) satisfies L.Loss`,
  'helper.ts': 'export const helper = (kind: number): number => 0.3 * kind',
  'formulas.ts': `import type { Value } from 'isometry/graph'
    interface From { ap: Value; an: Value; margin: number }
    export const right = ({ ap, an, margin }: From) => ap.sub(an).add(margin).relu()
    export const flipped = ({ ap, an, margin }: From) => an.sub(ap).add(margin).relu()
    export const plain = ({ ap, an }: any) => Math.max(ap - an + 0.2, 0)
    export const number = 3`,
  'embeddings.ts': `import { metrics } from 'isometry'
    import type { Value } from 'isometry/graph'
    const { pairwise } = metrics.cosine
    export const right = (anchor: Value, positive: Value, negative: Value) =>
      pairwise(anchor, positive).sub(pairwise(anchor, negative)).add(0.2).relu()
    export const reduced = (anchor: Value, positive: Value, negative: Value) =>
      pairwise(anchor, positive).mean().sub(pairwise(anchor, negative).mean()).add(0.2).relu()
    export const plain = (anchor: any, positive: any, negative: any) => Math.max(anchor - positive, 0)`,
  'factory.mjs': `import { triplet } from 'isometry/losses'
    export const loss = ({ metric, margin }) => triplet({ metric, margin })`,
  'common.cjs': `const { losses } = require('isometry')
    module.exports = losses.cosineMarginTriplet()`,
  'broken.ts': 'export const = 3',
  'throws.ts': 'throw new Error("not today")',
  'missing.ts': 'import nothing from "a-package-that-is-not-there"; export default nothing',
  'empty.ts': '',
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string) => join(folder.path, name)

beforeAll(async () => {
  folder = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
})
afterAll(() => folder.dispose())

describe('the questioner’s formula', () => {
  const args = ['check', '--formula', '(1 - an) + max(ap + margin, 0)', '--metric', 'negativeCosine', '--margin', '0.5']

  test('is answered in full', async () => {
    const { code, stdout, stderr } = await isometry(args)
    expect(stderr).toBe('')
    expect(code).toBe(1)
    const answer = stdout.replace(/\s+/g, ' ')
    for (const part of [
      '1 problem',
      'The two distances are never compared',
      'this is no triplet loss',
      'The pull stops for good at cos(a, p) = margin = 0.5',
      'The push never stops',
      'for C classes the loss cannot fall below 1 − 1/(C − 1)',
      'Write instead: max(ap - an + margin, 0), which is losses.triplet({ metric: metrics.negativeCosine, margin: 0.5 })',
      'It needs no `1 −` before a distance',
      'constants cancel in the difference',
      'The signs are not flipped',
      'pulls the positive and pushes the negative, which is why it goes down',
      'Perfect, it is 0.889 for 10 classes, 0.99 for 100 classes',
    ]) {
      expect(answer).toContain(part)
    }
  })

  test('with its evidence as JSON', async () => {
    const { code, stdout } = await isometry([...args, '--json'])
    expect(code).toBe(1)
    const { loss, problems, traits } = JSON.parse(stdout)
    expect(loss).toEqual({ text: '(1 - an) + max(ap + margin, 0)', metric: 'negativeCosine', margin: 0.5 })
    expect(problems.map((each: { name: string }) => each.name)).toEqual(['never-compared'])
    for (const { distances, value, gradient } of problems[0].evidence) {
      expect(value).toBeCloseTo(1 - distances.an + Math.max(distances.ap + 0.5, 0), 5)
      expect(gradient).toEqual({ ap: 0, an: -1 })
    }
    expect(traits.map((each: { name: string }) => each.name)).toContain('perfect')
  })

  test('and what was wanted has no problem', async () => {
    const { code, stdout } = await isometry([
      ...['check', '--formula', 'max(ap - an + margin, 0)', '--metric', 'negativeCosine', '--margin', '0.5', '--json'],
    ])
    expect(code).toBe(0)
    const { problems, traits } = JSON.parse(stdout)
    expect(problems).toEqual([])
    const titles = traits.map((each: { title: string }) => each.title)
    for (const title of ['Hinged', 'Zero once satisfied', 'Invariant to scale', 'Asks for an angle of 60°']) {
      expect(titles).toContain(title)
    }
    expect(titles).toContain('Collapsed, it is 0.5, the margin')
    expect(titles).toContain('Perfect, it is 0, for 10 classes as for 1,000')
  })
})

test('inspect shows what is in an ONNX file, and refuses what is none', async () => {
  const file = join(import.meta.dirname, 'reference', 'training', 'residual.onnx')
  const shown = await isometry(['inspect', file])
  expect(shown.code, shown.stderr).toBe(0)
  expect(shown.stdout).toMatch(/input +image +float32 \[batch, 3, 10, 10\]/)
  expect(shown.stdout).toMatch(/InstanceNormalization +1 {2}yes/)
  expect(shown.stdout).toMatch(/parameters {2}994 in 10 tensors\n +stem\.weight {2}\[8, 3, 3, 3\]\n/)
  expect(shown.stdout).toMatch(/Gradients flow through all that training needs\.\n$/)
  const { parameterCount, operators } = JSON.parse((await isometry(['inspect', file, '--json'])).stdout)
  expect(parameterCount).toBe(994)
  expect(operators).toContainEqual({ operator: 'Shape', nodes: 1, gradient: 'none' })
  expectError(await isometry(['inspect', at('nothing.onnx')]), 1, /nothing\.onnx cannot be read/)
  expectError(await isometry(['inspect', at('helper.ts')]), 1, /Not an ONNX model/)
  expectError(await isometry(['inspect', folder.path]), 1, /cannot be read/)
})

test('inspect says what training refuses, in its words', async () => {
  const written = (change: Partial<Written>) =>
    writeModel(
      model({
        nodes: [node('Reshape', ['x', 'fixed'], ['h']), node('MatMul', ['h', 'w'], ['out'])],
        initializers: { fixed: tensor('int64', [2], [-1, 4]), w: weights([4, 3]) },
        inputs: { x: ['float32', 'n', 4] },
        ...change,
      }),
    )
  const refusal = async (change: Partial<Written>) => {
    await writeFile(at('any.onnx'), written(change))
    const { code, stdout } = await isometry(['inspect', at('any.onnx')])
    expect(code).toBe(0)
    expect(stdout).toMatch(/output +out {2}type not stated, shape not stated\n/)
    expect(JSON.parse((await isometry(['inspect', at('any.onnx'), '--json'])).stdout).refusal ?? '').toBe(
      stdout.match(/Training refuses it\. (.*)\n$/)?.[1] ?? '',
    )
    return stdout.split('\n').at(-2)
  }
  expect(await refusal({})).toBe('Gradients flow through all that training needs.')
  expect(await refusal({ operatorSet: 12 })).toMatch(/Training refuses it\. The file uses ONNX's operator set 12/)
  const fixed = { fixed: tensor('int64', [2], [1, -1]), w: weights([8, 3]) }
  expect(await refusal({ initializers: fixed })).toMatch(/Training refuses it\. For a batch of 2, .* free batch axis/)
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`w${i}`, weights([4, 4])]))
  const nodes = Object.keys(many).map((name, i) =>
    node('MatMul', [i > 0 ? `h${i - 1}` : 'x', name], [i < 19 ? `h${i}` : 'out']),
  )
  await refusal({ nodes, initializers: many })
  const { stdout } = await isometry(['inspect', at('any.onnx')])
  expect(stdout).toMatch(/ {12}w11 {2}\[4, 4\]\n {12}and 8 more; --json lists all\n/)
})

test('inspect says what training has to be told', async () => {
  const nodes = [node('GlobalAveragePool', ['image'], ['mean']), node('Flatten', ['mean'], ['out'])]
  const last = async (...image: (number | string)[]) => {
    await writeFile(at('any.onnx'), writeModel(model({ nodes, inputs: { image: ['float32', ...image] } })))
    const { asks, refusal } = JSON.parse((await isometry(['inspect', at('any.onnx'), '--json'])).stdout)
    expect(refusal).toBeUndefined()
    const { stdout } = await isometry(['inspect', at('any.onnx')])
    expect(stdout).toContain(`\n\nTraining asks for more. ${asks}\n`)
    return asks
  }
  expect(await last('n', 3, 'h', 'w')).toBe(
    'The model leaves the height of its images open. State it with --image-size.',
  )
  expect(await last('n', 3, 8, 8)).toBe('Nothing is left to train. Freeze less, or put a head on the encoder.')
})

describe('files', () => {
  test('a loss in TypeScript, made of this installation’s own parts, with imports of its own', async () => {
    const { code, stdout, stderr } = await isometry(['check', at('loss.ts')])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^default of .*loss\.ts, metric cosine, margin 0\.3\n\nNo problem\n/)
  })

  test('a formula, with the metric and the margin of the command line', async () => {
    const right = await isometry([
      'check',
      at('formulas.ts'),
      '--export',
      'right',
      '--metric',
      'chord',
      '--margin',
      '0.4',
    ])
    expect(right.code, right.stderr).toBe(0)
    expect(right.stdout).toContain('metric chord, margin 0.4')
    const flipped = await isometry(['check', at('formulas.ts'), '--export', 'flipped', '--margin', '0.4'])
    expect(flipped.code).toBe(1)
    expect(flipped.stdout).toContain('The signs are flipped')
  })

  test('a function of the embeddings themselves, which is where means go wrong', async () => {
    const right = await isometry(['check', at('embeddings.ts'), '--export', 'right'])
    expect(right.code, right.stderr).toBe(0)
    const reduced = await isometry(['check', at('embeddings.ts'), '--export', 'reduced', '--json'])
    expect(reduced.code, reduced.stderr).toBe(1)
    expect(JSON.parse(reduced.stdout).problems.map((each: { name: string }) => each.name)).toEqual([
      'reduced-before-hinge',
    ])
  })

  test('a function that makes a loss, and CommonJS', async () => {
    const made = await isometry(['check', at('factory.mjs'), '--metric', 'angular', '--margin', '0.1'])
    expect(made.code, made.stderr).toBe(0)
    expect(made.stdout).toContain('metric angular, margin 0.1')
    const common = await isometry(['check', at('common.cjs')])
    expect(common.code, common.stderr).toBe(0)
  })
})

describe('what cannot be checked exits with 2 and one line', () => {
  test.each<[string[], RegExp]>([
    [['nothing.ts'], /There is no file .*nothing\.ts/],
    [['broken.ts'], /broken\.ts cannot be loaded: /],
    [['throws.ts'], /throws\.ts cannot be loaded: not today/],
    [['missing.ts'], /missing\.ts cannot be loaded: .*a-package-that-is-not-there/],
    [['empty.ts'], /exports nothing/],
    [['formulas.ts'], /exports .*flipped.*right.*Choose one with --export/],
    [['formulas.ts', '--export', 'left'], /exports no left/],
    [['formulas.ts', '--export', 'number'], /is the number 3; expected a loss, or a formula/],
    [['formulas.ts', '--export', 'plain'], /gives the number NaN .*Plain arithmetic cannot be differentiated/],
    [['formulas.ts', '--export', 'right'], /has a margin. Say how large it is with --margin/],
    [['embeddings.ts', '--export', 'plain'], /gives the number NaN for embeddings/],
    [['embeddings.ts', '--export', 'right', '--margin', '1'], /has its margin in itself/],
    [['loss.ts', '--margin', '0.2'], /Leave --metric and --margin out/],
    [['loss.ts', '--formula', 'ap'], /A formula and a file are two things/],
  ])('%j', async ([file, ...rest], message) => {
    expectError(await isometry(['check', at(file!), ...rest]), 2, message)
  })

  test.each<[string, RegExp]>([
    ['', /The formula is empty/],
    ['ap - (an', /cannot be read: Parenthesis \) expected.*for example max\(ap - an \+ margin, 0\)/],
    ['ap - an + margin', /has a margin. Say how large it is/],
    ['ap - distance', /holds distance; it may be written in ap, an, pn, margin/],
    ['mean(ap - an)', /holds mean; it may be written in/],
    ['ap.constructor', /holds ap.constructor/],
    ['constructor(ap)', /holds constructor/],
    ['f(x) = ap', /holds f\(x\) = ap/],
    ['ap > an', /holds >/],
    ['1e99 * ap', /holds 1e\+99/],
    ['max(ap)', /max takes at least 2 arguments, found 1/],
    ['exp(ap, an)', /exp takes 1 argument, found 2/],
  ])('--formula %j', async (formula, message) => {
    expectError(await isometry(['check', '--formula', formula]), 2, message)
  })

  test('nothing at all, too much, an unknown metric, and a margin that is not asked for', async () => {
    const long = `ap${' + ap'.repeat(400)}`
    expectError(await isometry(['check', '--formula', long]), 2, /characters; expected at most 1000/)
    expectError(await isometry(['check']), 2, /There is nothing to check/)
    expectError(await isometry(['check', '--formula', 'ap', '--metric', 'hamming']), 2, /--metric/)
    expectError(await isometry(['check', '--formula', 'ap - an', '--margin', '1']), 2, /has no margin/)
  })
})
