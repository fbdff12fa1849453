/** Tensors as files hold them, in one of four ways, and as plain data. */
import { DataError } from '../errors.ts'
import { allocate, type DType, type Tensor as PlainTensor, size, toInt64 } from '../tensor.ts'
import { dataTypes, type Tensor } from './schema.ts'

/** Bytes of an element, by its number; of types that parameters and constants usually have. */
const widths: Readonly<Record<number, number>> = { 1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2 }
const EXTERNAL = 1

const dtypes: Readonly<Record<number, DType>> = Object.fromEntries(
  (['float32', 'int32', 'int64', 'uint8', 'bool'] as const).map((dtype) => [dataTypes[dtype], dtype]),
)

/** Names of element types, for messages. */
export const typeNames: ReadonlyMap<number, string> = new Map([
  ...Object.entries(dataTypes).map(([name, number]) => [number, name] as const),
  [8, 'string'],
  [10, 'float16'],
  [16, 'bfloat16'],
])

/** The element type that a number stands for; undefined for those that graphs here do not hold. */
export function dtypeOf(number: number | undefined): DType | undefined {
  return number === undefined ? undefined : dtypes[number]
}

/** How many bytes the data of a tensor take; undefined for types of which that is not known. */
export function byteLength({ dimensions, dataType }: Tensor): number | undefined {
  const width = widths[dataType]
  return width && size(dimensions) * width
}

/** Where in the model's directory the data lie that are not in the file itself. */
export interface Location {
  readonly path: string
  readonly offset: number
  readonly length: number | undefined
}

/**
 * Where the data of a tensor lie; undefined if they are in the file itself.
 *
 * @throws DataError if they are said to lie outside of the model's directory, or at no place.
 */
export function locationOf({ name = '', externalData, dataLocation }: Tensor): Location | undefined {
  if (dataLocation !== EXTERNAL && externalData.length === 0) return undefined
  const said = (key: string) => externalData.find((entry) => entry.key === key)?.value
  const path = said('location') ?? ''
  if (path === '' || /^([/\\]|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes('..')) {
    throw new DataError(
      `The initialiser ${name} has its data at ${JSON.stringify(path)}; expected a file in the model's own directory.`,
    )
  }
  const [offset, length] = [said('offset') ?? '0', said('length')].map((text) => text && Number(text)) as number[]
  if ([offset, length ?? 0].some((each) => !Number.isSafeInteger(each) || each! < 0)) {
    throw new DataError(
      `The initialiser ${name} has ${said('length')} bytes of data at byte ${said('offset')}; expected whole numbers.`,
    )
  }
  return { path, offset: offset!, length }
}

/**
 * Makes sure that a tensor is one: its shape has a size, and its data fill it.
 *
 * @throws DataError if not.
 */
export function checkTensor(tensor: Tensor): void {
  const { name = '', dimensions, rawData } = tensor
  if (!Number.isSafeInteger(size(dimensions)) || dimensions.some((extent) => extent < 0)) {
    throw new DataError(`The initialiser ${name} has the shape [${dimensions.join(', ')}], which no tensor has.`)
  }
  if (locationOf(tensor)) return
  const expected = byteLength(tensor)
  const listed = listedData(tensor)
  if (
    rawData && rawData.length > 0
      ? expected !== undefined && rawData.length !== expected
      : listed && listed.length !== size(dimensions)
  ) {
    const found = rawData && rawData.length > 0 ? `${rawData.length} bytes` : `${listed!.length} elements`
    const wanted = rawData && rawData.length > 0 ? expected : size(dimensions)
    throw new DataError(
      `The initialiser ${name} of shape [${dimensions.join(', ')}] has ${found}; expected ${wanted}. The file is damaged: export it again.`,
    )
  }
}

/** The elements of a tensor that has them one by one; undefined for types that are not kept so. */
function listedData({ dataType, floatData, int32Data, int64Data }: Tensor): readonly number[] | undefined {
  if (dataType === dataTypes.float32) return floatData
  if (dataType === dataTypes.int64) return int64Data
  const narrow: readonly number[] = [dataTypes.int32, dataTypes.uint8, dataTypes.int8, dataTypes.bool]
  return narrow.includes(dataType) ? int32Data : undefined
}

/**
 * A tensor as plain data; undefined if its element type is none that graphs hold.
 *
 * @throws DataError if its data do not fill its shape, or are not in the file.
 */
export function toPlain(tensor: Tensor): PlainTensor | undefined {
  checkTensor(tensor)
  const dtype = dtypeOf(tensor.dataType)
  if (!dtype) return undefined
  const { rawData, dimensions: shape, name = '' } = tensor
  if (locationOf(tensor))
    throw new DataError(`The data of the initialiser ${name} lie in another file, which was not read.`)
  const data = allocate({ dtype, shape })
  if (rawData && rawData.length > 0) {
    new Uint8Array(data.buffer).set(rawData)
  } else {
    const listed = listedData(tensor)!
    if (data instanceof BigInt64Array) for (const [i, each] of listed.entries()) data[i] = toInt64(each)
    else data.set(listed)
  }
  return { dtype, shape, data }
}
