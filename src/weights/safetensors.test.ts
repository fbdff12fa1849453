/** Weights survive being written and read; damaged files are refused before they can do harm. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataError } from '../errors.ts'
import { random } from '../random.ts'
import { size, type Tensor, toTypedArray } from '../tensor.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'

const tensors: Record<string, Tensor> = {
  weight: { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, Number.NaN, 0, 1e-30) },
  labels: { dtype: 'int64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 60n) },
  mask: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
  none: { dtype: 'int32', shape: [0, 4], data: new Int32Array() },
  'ünïcode "name"': { dtype: 'uint8', shape: [], data: Uint8Array.of(7) },
}
const metadata = { step: '12', note: 'a "quoted" word' }
const file = writeSafetensors({ tensors, metadata })

/** A file with this header before these bytes. */
function withHeader(header: unknown, data = new Uint8Array(8)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

test('what is written is read again, and equal tensors give equal bytes', () => {
  expect(readSafetensors(file)).toEqual({ tensors, metadata })
  expect(writeSafetensors(structuredClone({ tensors, metadata }))).toEqual(file)
  // The data begin at a multiple of 8, as readers that map files expect.
  expect(Number(new DataView(file.buffer).getBigUint64(0, true)) % 8).toBe(0)
})

test('any tensors survive', () => {
  const some = fc.dictionary(fc.string(), fc.array(fc.float({ noNaN: true })))
  fc.assert(
    fc.property(some, (values) => {
      const all = Object.fromEntries(
        Object.entries(values).map(([name, each]) => {
          return [`t${name}`, { dtype: 'float32', shape: [each.length], data: toTypedArray('float32', each) } as const]
        }),
      )
      expect(readSafetensors(writeSafetensors({ tensors: all, metadata: {} }))).toEqual({ tensors: all, metadata: {} })
    }),
  )
})

const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] }
test.each<[string, Uint8Array, RegExp]>([
  ['nothing', new Uint8Array(), /it has 0 bytes/],
  [
    'a header that goes on for ever',
    new Uint8Array(16).fill(255),
    /should have 18446744073709552000 bytes, and 8 follow/,
  ],
  ['no JSON', withHeader('{"a":'), /its header is not JSON/],
  ['a list', withHeader([]), /its header is not an object/],
  ['metadata of numbers', withHeader({ __metadata__: { a: 1 }, t: entry }), /not an object of strings/],
  ['an entry that is none', withHeader({ t: 3 }), /what it says of t is not an object/],
  ['another type', withHeader({ t: { ...entry, dtype: 'F16' } }), /t is of the type "F16"; expected F32, I32/],
  ['a negative extent', withHeader({ t: { ...entry, shape: [-2] } }), /shape \[-2\], which no tensor has/],
  ['more than there are numbers', withHeader({ t: { ...entry, shape: [2 ** 40, 2 ** 40] } }), /which no tensor has/],
  ['offsets backwards', withHeader({ t: { ...entry, data_offsets: [8, 0] } }), /has -8 bytes; expected 8/],
  ['too many bytes for the shape', withHeader({ t: { ...entry, shape: [1] } }), /F32 \[1\], has 8 bytes; expected 4/],
  ['three offsets', withHeader({ t: { ...entry, data_offsets: [0, 8, 9] } }), /lies at \[0,8,9\]/],
  [
    'a hole',
    withHeader({ t: { ...entry, data_offsets: [4, 12] } }, new Uint8Array(12)),
    /begins at byte 4 of the data; expected 0/,
  ],
  [
    'an overlap',
    withHeader({ a: entry, b: { ...entry, data_offsets: [4, 12] } }, new Uint8Array(12)),
    /b begins at byte 4/,
  ],
  ['bytes left over', withHeader({ t: entry }, new Uint8Array(9)), /take 8 bytes, and 9 are there/],
  [
    'gigabytes that are not there',
    withHeader({ t: { ...entry, shape: [2 ** 32], data_offsets: [0, 2 ** 34] } }),
    /take 17179869184 bytes, and 8/,
  ],
])('%s is refused', (_, bytes, message) => {
  expect(() => readSafetensors(bytes)).toThrow(message)
  expect(() => readSafetensors(bytes)).toThrow(DataError)
})

test('2,400 damaged files are refused in one line or hold what they say', () => {
  const { integer } = random(0, 'damage')
  const before = process.memoryUsage().rss
  let refused = 0
  for (let i = 0; i < 2400; i++) {
    const damaged = i % 3 === 0 ? file.slice(0, integer(file.length)) : file.slice()
    for (let flips = i % 3; flips > 0; flips--) damaged[integer(damaged.length)]! ^= 1 << integer(8)
    try {
      for (const { shape, data } of Object.values(readSafetensors(damaged).tensors))
        expect(data).toHaveLength(size(shape))
    } catch (error) {
      refused++
      expect(error).toBeInstanceOf(DataError)
      expect((error as Error).message).not.toContain('\n')
    }
  }
  expect(refused).toBeGreaterThan(1000)
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28)
})
