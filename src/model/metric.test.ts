/** A metric that somebody wrote comes back from its file as it was. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isometry } from '../../test/command.ts'
import { temporaryFolder, writeImages } from '../../test/images.ts'
import { openImageFolder } from '../data/index.ts'
import { mlp } from '../encoders/index.ts'
import { DataError, UsageError } from '../errors.ts'
import { evaluate } from '../evaluation/index.ts'
import { triplet } from '../losses/index.ts'
import { metricsByName } from '../metrics/by-name.ts'
import { cosine, type Metric } from '../metrics/index.ts'
import { readModel, writeModel } from '../onnx/codec.ts'
import { open } from '../runtime/node.ts'
import { nearest } from '../search/index.ts'
import { train } from '../training/index.ts'
import { valueAndGradient } from '../training/value-and-gradient.ts'
import { loadModel } from './index.ts'
import { exportMetric, readMetric } from './metric.ts'

/** The largest difference: none of ours ranks alike. */
const maximum: Metric = {
  name: 'maximum',
  range: [0, Number.POSITIVE_INFINITY],
  directional: false,
  triangle: true,
  pairwise: (a, b) => a.sub(b).abs().max([1]),
  matrix: (a, b) =>
    a
      .unsqueeze([1])
      .sub(b.unsqueeze([0]))
      .abs()
      .max([2]),
}

let folder: string
let images: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metric-'))
  images = await temporaryFolder()
  await writeImages(images.path, ['a', 'b', 'c', 'd'], 5)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await images.dispose()
})

test.each([...metricsByName.values(), maximum])('$name as somebody’s own gives the same distances', async (metric) => {
  const own = { ...metric, name: `my ${metric.name}` }
  const bytes = await exportMetric(own, 5)
  const read = readMetric(bytes!, 'metric.onnx')
  const { name, range, directional, triangle } = own
  expect(read).toMatchObject({ name, range, directional, triangle })
  const batch = {
    embeddings: Array.from({ length: 9 }, (_, i) => Array.from({ length: 5 }, (_, j) => Math.sin(7 * i + j * j))),
    labels: [0, 1, 2, 0, 1, 2, 0, 1, 2],
  }
  const [ours, theirs] = await Promise.all(
    [metric, read].map((each) => valueAndGradient(triplet({ metric: each, margin: 0.1 }), batch)),
  )
  expect(theirs!.value).toBeCloseTo(ours!.value, 5)
  theirs!.gradient.flat().forEach((x, i) => {
    expect(x).toBeCloseTo(ours!.gradient.flat()[i]!, 4)
  })
})

test('the file is an ordinary graph, for any number of rows', async () => {
  const program = await open((await exportMetric(maximum, 2))!)
  const rows = (...values: number[]) =>
    ({ dtype: 'float32', shape: [values.length / 2, 2], data: Float32Array.from(values) }) as const
  const { pairwise, matrix } = await program.run({
    left: rows(0, 0),
    right: rows(3, -4),
    rows: rows(0, 0, 1, 1, 2, 0, 0, 5),
    columns: rows(1, 0),
  })
  await program.release()
  expect(pairwise).toMatchObject({ shape: [1], data: Float32Array.of(4) })
  expect(matrix).toMatchObject({ shape: [4, 1], data: Float32Array.of(1, 1, 1, 5) })
})

test('one of ours needs no file, and nothing else may have its name', async () => {
  expect(await exportMetric(cosine, 4)).toBeUndefined()
  await expect(exportMetric({ ...maximum, name: 'cosine' }, 4)).rejects.toThrow(
    /named cosine, and is another than ours/,
  )
})

test('what cannot be kept is told before anything is trained', async () => {
  const fixed: Metric = { ...maximum, matrix: (a, b) => maximum.matrix(a, b).reshape([a.shape[0]!, b.shape[0]!]) }
  await expect(exportMetric(fixed, 4)).rejects.toThrow(/maximum cannot be kept with a model: .* does not fit/)
  const scaled: Metric = { ...maximum, matrix: (a, b) => maximum.matrix(a, b).div(a.shape[0]!) }
  await expect(exportMetric(scaled, 4)).rejects.toThrow(/gives other distances/)
  const flat: Metric = { ...maximum, pairwise: (a, b) => a.sub(b).abs().max([1], true) }
  const loss = triplet({ metric: flat, margin: 1 })
  const source = await openImageFolder(images.path, {
    input: { kind: 'image', channels: 1, height: 6, width: 6, resize: 'stretch' },
  })
  const encoder = mlp({ input: { channels: 1, height: 6, width: 6 }, dimension: 4 })
  const found = train(source, { encoder, loss, steps: 1, onStep: () => expect.fail('it was trained') })
  await expect(found).rejects.toThrow(UsageError)
  await expect(found).rejects.toThrow(/float32 \[2, 1\] for pairwise; expected float32 \[2\]/)
})

test('a damaged file is told', async () => {
  const model = readModel((await exportMetric(maximum, 2))!)
  const { graph } = model
  const read = (change: Partial<typeof model>) => () => readMetric(writeModel({ ...model, ...change }), 'metric.onnx')
  const damaged: [Partial<typeof model>, RegExp][] = [
    [{ metadata: [] }, /metric\.onnx is no metric: it has no range/],
    [{ graph: { ...graph, inputs: graph.inputs.slice(1) } }, /damaged: nothing gives/],
    [{ graph: { ...graph, nodes: [] } }, /it has no (pairwise|matrix)/],
    [{ graph: { ...graph, nodes: graph.nodes.map((node) => ({ ...node, operator: 'If' })) } }, /damaged: .*If/],
  ]
  for (const [change, message] of damaged) {
    expect(read(change)).toThrow(DataError)
    expect(read(change)).toThrow(message)
  }
  expect(() => readMetric(Uint8Array.of(1, 2, 3), 'metric.onnx')).toThrow(DataError)
})

test('a model evaluates and searches in the metric that somebody wrote, loaded and from the command line', async () => {
  const input = { kind: 'image', channels: 1, height: 6, width: 6, resize: 'stretch' } as const
  const source = await openImageFolder(images.path, { input })
  const loss = triplet({ metric: maximum, margin: 0.5 })
  const encoder = mlp({ input, dimension: 4 })
  const model = await train(source, { encoder, loss, steps: 5, classesPerBatch: 3, perClass: 3, threads: 1 })
  const directory = join(folder, 'model')
  await model.save(directory)
  expect((await readdir(directory)).sort()).toEqual(['encoder.onnx', 'history.jsonl', 'isometry.json', 'metric.onnx'])

  const loaded = await loadModel(directory)
  const embeddings = await loaded.embed(source)
  const labels = Array.from(source.labels!)
  const { items: _, perClass: __, ...expected } = await evaluate({ embeddings, labels }, maximum)
  expect(await loaded.evaluate(source)).toMatchObject(expected)
  const found = await loaded.search(source, source, { k: 3 })
  const neighbours = await nearest(embeddings, embeddings, maximum, { k: 20 })
  const firstOthers = Array.from(neighbours.distances.subarray(0, 20)).filter((_, i) => neighbours.indices[i] !== 0)
  expect(found[0]!.matches.map(({ distance }) => distance)).toEqual(firstOthers.slice(0, 3))
  const [a, b] = [found[0]!.query, found[0]!.matches[0]!.item]
  expect(await loaded.distance(a, b)).toBeCloseTo(firstOthers[0]!, 5)

  const { stdout, stderr } = await isometry(['evaluate', directory, images.path, '--json'])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject(expected)
  await loaded.save(join(folder, 'again'))
  await loaded.release()
  await model.release()

  await rm(join(directory, 'metric.onnx'))
  await expect(loadModel(directory)).rejects.toThrow(/names the metric maximum; .*or a readable metric\.onnx/)
  await writeFile(join(directory, 'metric.onnx'), 'nothing')
  await expect(loadModel(directory)).rejects.toThrow(DataError)
})
