/** Records of TensorFlow's TFRecord files: length, data, and a masked checksum of each. */
import { crc32c } from './crc32c.ts'

const MASK = 0xa282ead8

/** uint64 length, uint32 masked CRC of the length, the data, uint32 masked CRC of the data; all little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true)
  bytes.set(data, 12)
  view.setUint32(12 + data.length, masked(crc32c(data)), true)
  return bytes
}

/** Turned right by 15 bits and moved on, so that the checksum of data that holds checksums is not degenerate. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0
}
