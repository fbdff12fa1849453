/** Event files, read back byte by byte as the formats specify them. */
import { readFile, rm } from 'node:fs/promises'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/images.ts'
import { DataError } from '../../errors.ts'
import type { StepRecord } from '../../training/index.ts'
import { crc32c } from './crc32c.ts'
import { openEventFile } from './writer.ts'

test('CRC-32C gives the values of RFC 3720, B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c)
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
})

/** By bits, and with no table, as the specification of TFRecord files words it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n
  }
  crc ^= 0xffffffffn
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn)
}

function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(bytes.subarray(at, at + 8)))
    const data = bytes.subarray(at + 12, at + 12 + length)
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(data))
    records.push(data)
    at += 16 + length
  }
  return records
}

type Fields = Record<number, unknown[]>
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes)
  const fields: Fields = {}
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const read = {
      [WireType.Varint]: () => Number(reader.int64()),
      [WireType.Bit64]: () => reader.double(),
      [WireType.Bit32]: () => reader.float(),
      [WireType.LengthDelimited]: () => reader.bytes(),
    } as Record<number, () => unknown>
    fields[number] = [...(fields[number] ?? []), read[type]!()]
  }
  return fields
}
const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array)

test('files are records of events: a version, where training begins, and the numbers of each step', async () => {
  const folder = await temporaryFolder()
  const file = openEventFile(`${folder.path}/runs/one`, () => {})
  const step: StepRecord = {
    step: 4,
    loss: 0.5,
    spread: 1,
    positiveDistance: 0.25,
    negativeDistance: 2,
    gradientNorm: 8,
  }
  file.write({ kind: 'step', record: step })
  file.write({ kind: 'checkpoint', step: 4 })
  const evaluation = { metric: 'cosine', kind: 'tuples', tuples: 3, inOrder: 0.75 } as const
  file.write({ kind: 'evaluation', step: 4, evaluation, isBest: true })
  file.close()

  const before = Date.now() / 1000
  const events = recordsOf(await readFile(file.path)).map(fieldsOf)
  for (const event of events) expect(Math.abs((event[1]![0] as number) - before)).toBeLessThan(60)
  const [version, begin, numbers, measures] = events
  expect(events).toHaveLength(4)
  expect(text(version![3]![0])).toBe('brain.Event:2')
  expect(begin![2]).toEqual([4])
  expect(fieldsOf(begin![7]![0] as Uint8Array)).toEqual({ 1: [1] })
  const scalars = (event: Fields) =>
    fieldsOf(event[5]![0] as Uint8Array)[1]!.map((each) => {
      const value = fieldsOf(each as Uint8Array)
      return [text(value[1]![0]), value[2]![0]]
    })
  expect(numbers![2]).toEqual([4])
  expect(scalars(numbers!)).toEqual([
    ['training/loss', 0.5],
    ['training/spread', 1],
    ['training/positiveDistance', 0.25],
    ['training/negativeDistance', 2],
    ['training/gradientNorm', 8],
  ])
  expect(scalars(measures!)).toEqual([
    ['validation/tuples', 3],
    ['validation/inOrder', 0.75],
  ])
  await rm(folder.path, { recursive: true })
})

test('a directory that cannot be made is said', () => {
  expect(() => openEventFile('/dev/null/runs', () => {})).toThrow(DataError)
  expect(() => openEventFile('/dev/null/runs', () => {})).toThrow(/cannot be written to \/dev\/null\/runs: ENOTDIR/)
})
