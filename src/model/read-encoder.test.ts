/** Files on disk: data beside them, what must not be read, and damage. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/images.ts'
import { embed, importing, trained } from '../../test/imported.ts'
import { model, node, weights } from '../../test/onnx.ts'
import { readReferenceFile } from '../../test/reference.ts'
import type { Encoder, Pixels } from '../encoders/encoder.ts'
import { DataError, IsometryError } from '../errors.ts'
import { readModel, writeModel } from '../onnx/codec.ts'
import type { Tensor } from '../onnx/schema.ts'
import { random } from '../random.ts'
import type { Tensors } from '../runtime/session.ts'
import { size, toTypedArray } from '../tensor.ts'
import { readEncoder } from './read-encoder.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  await mkdir(join(folder.path, 'model', 'data'), { recursive: true })
})
afterAll(() => folder.dispose())

/** Of so many damaged encoders that compute, one is trained too. */
const TRAINED = 25

const w = weights([4, 3])

/** A model whose weights lie somewhere else, as `entries` say. */
async function withExternal(
  name: string,
  entries: Record<string, string>,
  change: (tensor: Tensor) => void = () => {},
) {
  const written = model({
    nodes: [node('MatMul', ['x', 'w'], ['out'])],
    initializers: { w },
    inputs: { x: ['float32', 'n', 4] },
  })
  const [initializer] = written.graph.initializers
  Object.assign(initializer!, {
    rawData: new Uint8Array(),
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  })
  change(initializer!)
  const path = join(folder.path, 'model', `${name}.onnx`)
  await writeFile(path, writeModel(written))
  return path
}

const bytes = new Uint8Array(w.data.buffer)

test('weights in a file beside the model, from where it says', async () => {
  await writeFile(join(folder.path, 'model', 'data', 'weights.bin'), new Uint8Array([...new Uint8Array(16), ...bytes]))
  const path = await withExternal('beside', { location: 'data/weights.bin', offset: '16', length: '48' })
  const encoder = await readEncoder(path)
  expect(encoder.variables(0).w!.data).toEqual(w.data)
  expect(encoder.settings.file).toBe('beside.onnx')
  const whole = await withExternal('whole', { location: 'data/weights.bin', offset: '16' })
  expect((await readEncoder(whole)).variables(0).w!.data).toEqual(w.data)
})

test.each<[string, Record<string, string>, RegExp]>([
  ['above the directory', { location: '../secret.bin' }, /expected a file in the model's own directory/],
  ['an absolute path', { location: '/etc/hostname' }, /expected a file in the model's own directory/],
  ['a link that leads out', { location: 'link.bin' }, /leads out of the model's directory/],
  [
    'a file that is missing',
    { location: 'nowhere.bin' },
    /should be in nowhere\.bin beside the model, which is not there/,
  ],
  [
    'a directory',
    { location: 'data' },
    /initialiser w should be in data beside the model, which is a directory or device\. Put the file there/,
  ],
  ['too few bytes', { location: 'short.bin' }, /short\.bin has 40 bytes; the initialiser w needs 48 from byte 0/],
  ['another length', { location: 'short.bin', length: '40' }, /is said to have 40 bytes in short\.bin; expected 48/],
  ['a place that is none', { location: 'short.bin', offset: '-1' }, /at byte -1; expected whole numbers/],
  ['more than there could be', { location: 'short.bin', offset: '9e15' }, /short\.bin has 40 bytes/],
])('external data: %s', async (name, entries, message) => {
  await writeFile(join(folder.path, 'secret.bin'), bytes)
  await writeFile(join(folder.path, 'model', 'short.bin'), bytes.slice(0, 40))
  await symlink(join(folder.path, 'secret.bin'), join(folder.path, 'model', 'link.bin')).catch(() => {})
  await expect(readEncoder(await withExternal(name, entries))).rejects.toThrow(message)
})

test('a shape of more than the machine holds is refused before anything is set aside for it', async () => {
  const path = await withExternal('vast', { location: 'short.bin' }, (tensor) => {
    tensor.dimensions = [2 ** 20, 2 ** 20]
  })
  await expect(readEncoder(path)).rejects.toThrow(/needs 4398046511104 from byte 0/)
})

test('a file that is not there, and one that is no model', async () => {
  await expect(readEncoder(join(folder.path, 'nothing.onnx'))).rejects.toThrow(/nothing\.onnx cannot be read: ENOENT/)
  await expect(readEncoder(join(folder.path, 'secret.bin'))).rejects.toThrow(DataError)
})

/** Four rows for whatever the encoder takes; other open extents are eight long. */
function rowsFor({ input }: Encoder): Tensors {
  const taken =
    'tensors' in input ? input.tensors : [{ name: 'pixels', dtype: 'float32', shape: extentsOf(input) } as const]
  return Object.fromEntries(
    taken.map(({ name, dtype, shape }) => {
      const extents = shape.map((extent, axis) => (axis === 0 ? 4 : typeof extent === 'number' ? extent : 8))
      const type = { dtype, shape: extents }
      return [name, { ...type, data: toTypedArray(dtype, Array(size(extents)).fill(1)) }]
    }),
  )
}

const extentsOf = ({ channels, height, width }: Pixels) => ['n', channels, height, width]

test('2,100 damaged files are refused in one line or give an encoder that computes', { timeout: 300_000 }, async () => {
  const { integer } = random(1, 'damage')
  const before = process.memoryUsage().rss
  let [refused, computed] = [0, 0]
  for (const name of ['convolutional', 'residual', 'transformer']) {
    const whole = readReferenceFile(`training/${name}.onnx`)
    for (let i = 0; i < 700; i++) {
      const damaged = i % 3 === 0 ? whole.slice(0, integer(whole.length)) : whole.slice()
      // Most bytes are weights, which any bits will do for; what is said of them stands near the nodes.
      for (let flips = i % 3; flips > 0 && damaged.length > 0; flips--) {
        damaged[integer(damaged.length >> (i % 2))]! ^= 1 << integer(8)
      }
      const what = `${name}, number ${i}`
      try {
        const encoder = await importing(readModel(damaged))
        expect(encoder.dimension, what).toSatisfy((x: number) => Number.isSafeInteger(x) && x > 0)
        const rows = rowsFor(encoder)
        const { shape, data } = await embed(encoder, rows)
        expect(shape, what).toEqual([4, encoder.dimension])
        expect(data, what).toBeInstanceOf(Float32Array)
        // A step takes twenty times as long.
        if (++computed % TRAINED === 0) await trained(encoder, rows)
      } catch (error) {
        refused++
        expect(error, what).toBeInstanceOf(IsometryError)
        expect((error as Error).message, what).not.toContain('\n')
      }
    }
  }
  expect(refused).toBeGreaterThan(700)
  expect(computed).toBeGreaterThan(500)
  // The peak: what was set aside for a moment is no longer seen afterwards.
  expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(2 ** 29)
})
