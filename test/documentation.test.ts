/** The snippets of the documentation type-check and run as they stand there, and say what the text says. */
import { spawnSync } from 'node:child_process'
import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lossesByName, reducerNames } from '../src/losses/by-name.ts'
import { minerByName, minerNames } from '../src/mining/by-name.ts'
import { writeSafetensors } from '../src/weights/safetensors.ts'
import { isometry as asProcess } from './command.ts'
import { writeImages } from './images.ts'
import { isometry } from './in-process.ts'

const root = join(import.meta.dirname, '..')
const documents = [
  'README.md',
  'docs/adapters.md',
  'docs/cosine-triplet-loss.md',
  'docs/encoders.md',
  'docs/evaluation.md',
  'docs/extending.md',
  'docs/search.md',
  'docs/training.md',
]
const SNIPPET = /<!-- snippet: (\w+) -->\n```ts\n([\s\S]*?)```/g
let folder: string

// Inside the checkout, where the name `isometry` resolves to this package.
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '.snippets-'))
  for (const document of documents) {
    const text = await readFile(join(root, document), 'utf8')
    for (const [, name, code] of text.matchAll(SNIPPET)) await writeFile(join(folder, `${name}.ts`), code!)
  }
  const configuration = { extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { noEmit: true } }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration))
  await writeFile(join(folder, 'runner.mjs'), RUNNER)
  await writeImages(
    join(folder, 'letters'),
    Array.from({ length: 8 }, (_, i) => `class ${i}`),
    5,
  )
  await copyFile(join(folder, 'letters', 'class 0', '0.png'), join(folder, 'query.png'))
  await cp(join(folder, 'letters'), join(folder, 'other-letters'), { recursive: true })
  await writeFile(join(folder, 'vectors.safetensors'), someVectors(40))
  await writeFile(join(folder, 'queries.safetensors'), someVectors(2))
  const reference = join(import.meta.dirname, 'reference', 'training')
  await copyFile(join(reference, 'residual.onnx'), join(folder, 'encoder.onnx'))
  await copyFile(join(reference, 'transformer.onnx'), join(folder, 'text.onnx'))
})

/** Vectors of five classes: the class is in the first number. */
function someVectors(rows: number): Uint8Array {
  const data = Float32Array.from({ length: rows * 6 }, (_, i) => (i % 6 === 0 ? (i / 6) % 5 : Math.sin(i * i)))
  const labels = Array.from({ length: rows }, (_, row) => `class ${row % 5}`)
  return writeSafetensors({
    tensors: { embeddings: { dtype: 'float32', shape: [rows, 6], data } },
    metadata: { labels: JSON.stringify(labels) },
  })
}
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', command), ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

/** Runs snippets one after the other, and prints what each printed, by its name. */
const RUNNER = `import { format } from 'node:util'
const printed = {}
for (const name of process.argv.slice(2)) {
  printed[name] = ''
  console.log = (...values) => { printed[name] += format(...values) + '\\n' }
  await import('./' + name + '.ts')
}
process.stdout.write(JSON.stringify(printed))
`

/** What each snippet prints. */
const printed: Record<string, RegExp> = {
  letters: /precisionAt1: [01][\s\S]*item: 'letters\/class 0\/0.png'/,
  gradient: /value: 0\.\d+[\s\S]*gradient: \[/,
  sign: /^0\.70\n\[ '-0\.64', '0\.48' \] \[ '0\.36', '0\.48' \]\n$/,
  right: /^0 \[[\s\S]*'The signs are not flipped'[\s\S]*'Zero once satisfied'[\s\S]*'Asks for an angle of 60°'/,
  attempt: /^The two distances are never compared max\(ap - an \+ margin, 0\)/,
  triangle: /^cosine false false\nsquaredChord false false\nchord true true\nangular true true\n$/,
  margin: /^36\.9\n11\.5\n0\.2\n0\.632\n$/,
  equation9: /^(\d\.\d{4}) \1\n$/,
  quadruplet: /^0\.20\n$/,
  model: /^chord true\n$/,
  imported: /file: 'encoder\.onnx'[\s\S]*head: 'linear',\s+dimension: 16/,
  ownMetric: /^1\.5\n$/,
  ownLoss: /^\[\] The signs are not flipped\n$/,
  ownRows: /^0\.\d+\n$/,
  ownMiner: /^\d\.\d+\n$/,
  vectors: /^0\.\d\d [01]\.\d\d\n$/,
  queries: /^true\n3\n$/,
  tuples: /kind: 'tuples',\s+inOrder: [01]/,
  indexed: /^1\n92 \[ \[ true, true \], \[ true, true \] \]\n$/,
  events: /^20 true\n40 (true|false)\nTraining was stopped after step 10 of 40\.\n$/,
  calibrated: /^true true\n$/,
  tokens: /^(\d\.\d{3}\n){10}$/,
}

describe('snippets', () => {
  test('type-check, and each is here', async () => {
    run('typescript/bin/tsc', '-p', folder)
    const files = (await readdir(folder)).flatMap((file) => /^(\w+)\.ts$/.exec(file)?.[1] ?? [])
    expect(files.sort()).toEqual(Object.keys(printed).sort())
  })

  // In one process: what they do is theirs, what a process takes to start is not.
  let found: Record<string, string>
  beforeAll(() => {
    found = JSON.parse(run('tsx/dist/cli.mjs', join(folder, 'runner.mjs'), ...Object.keys(printed)))
  })

  test.each(Object.entries(printed))('%s', (name, expected) => {
    expect(found[name]).toMatch(expected)
  })

  test('adapting improves on raw vectors, as the text says', () => {
    const [before, after] = found.vectors!.split(' ').map(Number)
    expect(after!).toBeGreaterThan(before!)
  })
})

test('the first snippet is as short as it is said to be', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const [, , code] = text.matchAll(SNIPPET).next().value!
  expect(code!.split('\n').filter((line) => line.trim()).length).toBeLessThanOrEqual(15)
})

test('one’s own metric, loss and miner take under fifteen lines each', async () => {
  const text = await readFile(join(root, 'docs/extending.md'), 'utf8')
  for (const [, name, code] of text.matchAll(SNIPPET)) {
    expect(code!.split('\n').filter((line) => line.trim()).length, name).toBeLessThan(15)
  }
})

test('every loss and miner has a row with its settings as they are if left out', async () => {
  const text = await readFile(join(root, 'docs/losses.md'), 'utf8')
  const [losses, mined] = text.split('## Miners') as [string, string]
  const rows = new Map([...losses.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, name, row]) => [name!, row!]))
  for (const [name, { settings, make }] of lossesByName) {
    const made = make({}).settings ?? {}
    const shown = Object.keys(settings).map((setting) => `${setting} ${made[setting]}`)
    const cells =
      rows
        .get(name)
        ?.split('|')
        .map((cell) => cell.trim()) ?? []
    expect(cells, `${name}: formula, when, settings, source`).toHaveLength(4)
    const [formula, when, defaults, source] = cells
    expect(defaults, name).toBe(shown.join(', '))
    for (const told of [formula, when, source]) expect(told, name).not.toBe('')
    expect(source, name).toMatch(/(19|20)\d\d/)
  }
  expect([...rows.keys()].sort()).toEqual([...lossesByName.keys()].sort())
  for (const name of minerNames) {
    const { settings = {} } = minerByName(name)
    const shown = Object.entries(settings).map(([setting, value]) => `${setting} ${value}`)
    const row = new RegExp(`^\\| \`${name}\` \\|.*\\| (.*)\\|$`, 'm').exec(mined)
    expect(row?.[1]?.trim(), name).toBe(shown.join(', '))
  }
  for (const name of reducerNames) expect(text).toContain(`\`${name}`)
})

/** What a shell makes of a line: words, some of them in double quotes. */
function wordsOf(line: string): string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'))
}

test.each([
  ['docs/adapters.md', 6],
  ['docs/data.md', 4],
  ['docs/evaluation.md', 5],
  ['docs/search.md', 8],
  ['docs/training.md', 7],
])('the commands of %s run as they stand there', async (document, count) => {
  const text = await readFile(join(root, document), 'utf8')
  const commands = [...text.matchAll(/^npx isometry (.+)$/gm)].map(([, args]) => wordsOf(args!))
  expect(commands).toHaveLength(count)
  await writeFile(join(folder, 'relevance.csv'), 'query,item,grade\nclass 0/0.png,class 0/1.png,2\n')
  const rows = Array.from({ length: 8 }, (_, i) => [0, 1, 2, 3].map((k) => `letters/class ${i}/${k}.png,class ${i}`))
  await writeFile(join(folder, 'table.csv'), ['path,label', ...rows.flat()].join('\n'))
  const lines = Array.from({ length: 40 }, (_, i) => ({
    kind: i % 8,
    vector: [Math.sin(i % 8), Math.cos(i % 8), i % 3],
  }))
  await writeFile(join(folder, 'vectors.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'))
  for (const [name, from] of Object.entries({ items: 0, more: 800 })) {
    const items = Array.from({ length: from === 0 ? 800 : 20 }, (_, i) => ({ item: `item ${from + i}`, n: from + i }))
    const described = items.map(({ item, n }) => ({
      ...{ item, label: `c${n % 8}`, year: 2020 + (n % 4) },
      vector: [Math.sin(n % 8), Math.cos(n % 8), Math.sin(n * n), Math.cos(n * 7)],
    }))
    await writeFile(join(folder, `${name}.jsonl`), described.map((each) => JSON.stringify(each)).join('\n'))
  }
  const [, settings] = /```yaml\n([\s\S]*?)```/.exec(text) ?? []
  if (settings) await writeFile(join(folder, 'settings.yaml'), settings)
  const here = process.cwd()
  process.chdir(folder)
  try {
    for (const [i, args] of commands.entries()) {
      // What is resumed next is stopped first.
      const isStopped = commands[i + 1]?.[1] === '--resume'
      const { code, stderr } = isStopped ? await interrupted(args) : await isometry(args)
      expect(code, `${args.join(' ')}\n${stderr}`).toBe(isStopped ? 130 : 0)
    }
  } finally {
    process.chdir(here)
  }
})

/** A training that Ctrl-C stops among its steps. */
function interrupted(args: readonly string[]) {
  let sent = false
  return asProcess(args, (stderr, kill) => {
    if (!sent && /^step /m.test(stderr)) kill('SIGINT')
    sent ||= /^step /m.test(stderr)
  })
}

test('the commands of the question run, and the pictures are there', async () => {
  for (const document of documents) {
    const text = await readFile(join(root, document), 'utf8')
    for (const [, formula, metric, margin] of text.matchAll(/--formula "([^"]+)" --metric (\w+) --margin ([\d.]+)/g)) {
      const { stderr, stdout } = await isometry([
        'check',
        '--formula',
        formula!,
        '--metric',
        metric!,
        '--margin',
        margin!,
      ])
      expect(stderr).toBe('')
      expect(stdout).toMatch(formula!.startsWith('max') ? /No problem/ : /1 problem/)
    }
    for (const [, file] of text.matchAll(/!\[[^\]]*\]\((.*?)\)/g)) {
      const beginning = (await readFile(join(root, document, '..', file!))).toString('latin1', 0, 8)
      expect(beginning, file).toMatch(file!.endsWith('.png') ? /^\x89PNG/ : /^<svg/)
    }
  }
})

test('the table of margins and angles is what convertMargin gives', async () => {
  const { angular, chord, convertMargin, cosine, squaredChord } = await import('../src/metrics/index.ts')
  const text = await readFile(join(root, 'docs/cosine-triplet-loss.md'), 'utf8')
  const rows = [...text.matchAll(/^\| ([\d.]+) \| ([\d.]+)° \| ([\d.]+)° \| ([\d.]+)° \| ([\d.]+)° \|$/gm)]
  expect(rows).toHaveLength(5)
  for (const [, margin, ...angles] of rows) {
    const expected = [cosine, squaredChord, chord, angular].map((from) =>
      (180 * convertMargin(Number(margin), { from, to: angular })).toFixed(1),
    )
    expect(angles).toEqual(expected)
  }
})
