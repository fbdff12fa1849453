/** A memory is the past as references: with every loss that takes some, and every miner. */
import { expect, test } from 'vitest'
import { expectClose } from '../../test/tolerance.ts'
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { toInputs } from '../graph/inputs.ts'
import { concat, constant, input, type Value } from '../graph/value.ts'
import { minerByName, minerNames } from '../mining/by-name.ts'
import { drawUniform, randomInputs } from '../mining/random-inputs.ts'
import { random } from '../random.ts'
import { lossByName, lossesByName } from './by-name.ts'
import { crossBatchMemory, type LabelledExamples, type Loss } from './index.ts'

const [N, PAST, SIZE, D] = [6, 5, 14, 4]
const { uniform } = random(4, 'embeddings')
const numbers = (length: number) => Array.from({ length }, () => uniform(-1, 1))
const fresh = { data: numbers(N * D), labels: [0, 1, 2, 0, 1, 0] }
const past = { data: numbers(PAST * D), labels: [1, 0, 2, 2, 0] }
/** The queue before the batch comes: what it held last at its end, and nothing before. */
const empty = SIZE - PAST
const queue = {
  data: [...numbers(empty * D), ...past.data],
  labels: [...Array<number>(empty).fill(-1), ...past.labels],
}

const mined = [...lossesByName.keys()].map((name) => lossByName(name)).filter((loss) => loss.withMining)

/** Value and gradient by the batch's embeddings. */
async function evaluate(loss: Loss, references: (x: Value) => Pick<LabelledExamples, 'references'>) {
  const embeddings = input('x', 'float32', [N, D])
  const own = loss.variables?.({ dimension: D, classes: 3, seed: 0 }) ?? {}
  const drawn = randomInputs('')
  const labels = input('labels', 'int32', [N])
  const { value } = loss.build(
    { kind: 'labelled', embeddings, labels, random: drawn, ...references(embeddings) },
    toInputs(own),
  )
  const program = await compile({ value, slope: differentiate(value, [embeddings])[0]! })
  const filled = {
    ...('memory' in own && { memory: { ...own.memory!, data: Float32Array.from(queue.data) } }),
    ...('memory labels' in own && {
      'memory labels': { ...own['memory labels']!, data: Float32Array.from(queue.labels) },
    }),
  }
  const results = await program.run({
    ...own,
    ...filled,
    ...drawUniform(drawn.values, 0, '0'),
    x: { dtype: 'float32', shape: [N, D], data: Float32Array.from(fresh.data) },
    labels: { dtype: 'int32', shape: [N], data: Int32Array.from(fresh.labels) },
  })
  await program.release()
  return [results.value!, results.slope!].flatMap(({ data }) => Array.from(data as Float32Array))
}

test.each(minerNames)('the mining %s', async (name) => {
  expect(mined.length).toBeGreaterThan(15)
  for (const plain of mined) {
    const loss = plain.withMining!(minerByName(name))
    const found = await evaluate(crossBatchMemory(loss, { size: SIZE }), () => ({}))
    expect(found.every(Number.isFinite), loss.name).toBe(true)
    // Draws fall otherwise where there are more places for positives.
    if (name === 'distanceWeighted') continue
    const expected = await evaluate(loss, (x) => ({
      references: {
        embeddings: concat([constant('float32', [PAST, D], past.data), x.detach()], 0),
        labels: constant('int32', [PAST + N], [...past.labels, ...fresh.labels]),
        own: PAST,
      },
    }))
    expectClose(found, expected, `${loss.name} with ${name}`, 1e-3, 1e-3)
  }
})
