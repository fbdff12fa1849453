/** The safetensors layout: named tensors in one file, without code. */
import { DataError } from '../errors.ts'
import { allocate, type DType, type Shape, size, type Tensor } from '../tensor.ts'

export interface Weights {
  readonly tensors: Readonly<Record<string, Tensor>>
  /** Anything in words. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The length of the header in 8 bytes comes first; the header is padded with spaces to a multiple of 8. */
const LENGTH = 8
const METADATA = '__metadata__'
/** The format's own limit: no file needs more to name its tensors. */
const LONGEST_HEADER = 100_000_000

const names: Readonly<Record<DType, string>> = {
  float32: 'F32',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  bool: 'BOOL',
}
const dtypes = new Map(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]))

/** Writes tensors in their order, little-endian. Equal tensors give equal bytes. */
export function writeSafetensors({ tensors, metadata }: Weights): Uint8Array {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const start = end
    end += data.byteLength
    return [name, { dtype: names[dtype], shape, data_offsets: [start, end] }] as const
  })
  const header = { ...(Object.keys(metadata).length > 0 && { [METADATA]: metadata }), ...Object.fromEntries(entries) }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(text.length / LENGTH) * LENGTH
  const file = new Uint8Array(LENGTH + length + end).fill(0x20, LENGTH, LENGTH + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(text, LENGTH)
  let at = LENGTH + length
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

/**
 * Reads what `writeSafetensors` or any other writer of the layout wrote.
 *
 * @throws DataError if sizes do not add up, or an element type is none of F32, I32, I64, U8 and BOOL. Nothing is set aside
 *   for what the header says before the file has shown to hold it.
 */
export function readSafetensors(bytes: Uint8Array): Weights {
  const { header, start } = readHeader(bytes)
  const { [METADATA]: metadata = {}, ...entries } = header
  if (!isRecord(metadata) || !Object.values(metadata).every((each) => typeof each === 'string')) {
    throw damaged(`its ${METADATA} is not an object of strings`)
  }
  const described = Object.entries(entries).map(([name, entry]) => ({ name, ...describeEntry(name, entry) }))
  checkOffsets(described, bytes.length - start)
  const tensors = described.map(({ name, dtype, shape, from, to }) => {
    const data = allocate({ dtype, shape })
    new Uint8Array(data.buffer).set(bytes.subarray(start + from, start + to))
    return [name, { dtype, shape, data }] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> }
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < LENGTH) throw damaged(`it has ${bytes.length} bytes, which is too few for a header`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const start = LENGTH + length
  if (length > LONGEST_HEADER || start > bytes.length) {
    throw damaged(`its header should have ${length} bytes, and ${bytes.length - LENGTH} follow`)
  }
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH, start)))
  } catch (error) {
    throw damaged(`its header is not JSON: ${(error as Error).message}`)
  }
  if (!isRecord(header)) throw damaged('its header is not an object')
  return { header, start }
}

interface Described {
  readonly dtype: DType
  readonly shape: Shape
  readonly from: number
  readonly to: number
}

function describeEntry(name: string, entry: unknown): Described {
  if (!isRecord(entry)) throw damaged(`what it says of ${name} is not an object`)
  const { dtype: type, shape, data_offsets: offsets } = entry
  const dtype = typeof type === 'string' ? dtypes.get(type) : undefined
  if (!dtype) throw damaged(`${name} is of the type ${JSON.stringify(type)}; expected ${[...dtypes.keys()].join(', ')}`)
  if (!isExtents(shape) || !Number.isSafeInteger(size(shape))) {
    throw damaged(`${name} has the shape ${JSON.stringify(shape)}, which no tensor has`)
  }
  if (!isExtents(offsets) || offsets.length !== 2) {
    throw damaged(`${name} lies at ${JSON.stringify(offsets)}; expected its first byte and the one after its last`)
  }
  const [from, to] = offsets as [number, number]
  const expected = size(shape) * widthOf(dtype)
  if (to - from !== expected) {
    throw damaged(`${name}, ${type} [${shape.join(', ')}], has ${to - from} bytes; expected ${expected}`)
  }
  return { dtype, shape, from, to }
}

/** Tensors lie side by side from the first byte to the last. */
function checkOffsets(described: readonly (Described & { readonly name: string })[], available: number): void {
  let end = 0
  for (const { name, from, to } of [...described].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw damaged(`${name} begins at byte ${from} of the data; expected ${end}`)
    end = to
  }
  if (end !== available) throw damaged(`its tensors take ${end} bytes, and ${available} are there`)
}

function widthOf(dtype: DType): number {
  return allocate({ dtype, shape: [] }).BYTES_PER_ELEMENT
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isExtents(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0)
}

function damaged(what: string): DataError {
  return new DataError(`Not a safetensors file: ${what}. It is damaged or something else; write it again.`)
}
