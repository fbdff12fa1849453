/** Bytes of an ONNX file to plain objects and back, driven by the schema. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { DataError } from '../errors.ts'
import { toInt64 } from '../tensor.ts'
import { type Field, type MessageName, type Model, schema } from './schema.ts'

type Message = Record<string, unknown>
type Scalar = Exclude<Field['type'], MessageName>

const wireTypes: Record<Scalar, WireType> = {
  int32: WireType.Varint,
  int64: WireType.Varint,
  uint64: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
}

/**
 * Reads an ONNX model file. Fields that the schema does not name are skipped; 64-bit integers become numbers.
 *
 * @throws DataError if the bytes are not an ONNX model.
 */
export function readModel(bytes: Uint8Array): Model {
  let model: Partial<Model>
  try {
    model = readMessage(new BinaryReader(bytes), bytes.length, 'Model') as Partial<Model>
  } catch (error) {
    throw new DataError(`Not an ONNX model: ${(error as Error).message}. Expected a file that an ONNX exporter wrote.`)
  }
  if (!model.graph || !model.irVersion) {
    throw new DataError('Not an ONNX model: it has no graph. Expected a file that an ONNX exporter wrote.')
  }
  return model as Model
}

/** Writes an ONNX model file. Equal models give equal bytes. */
export function writeModel(model: Model): Uint8Array {
  const writer = new BinaryWriter()
  writeMessage(writer, model as unknown as Message, 'Model')
  return writer.finish()
}

const fieldsByNumber = Object.fromEntries(
  Object.entries(schema).map(([name, fields]) => [name, new Map(fields.map((f) => [f.number, f]))]),
) as Record<MessageName, Map<number, Field>>

function readMessage(reader: BinaryReader, end: number, name: MessageName): Message {
  const message: Message = {}
  for (const f of schema[name]) if (f.repeated) message[f.name] = []
  while (reader.pos < end) {
    const [number, wireType] = reader.tag()
    const f = fieldsByNumber[name].get(number)
    if (!f) reader.skip(wireType, number)
    else if (!f.repeated) message[f.name] = readValue(reader, f.type)
    else readRepeated(reader, wireType, f.type, message[f.name] as unknown[])
  }
  return message
}

/** Numbers may come packed into one field or each in its own; a reader has to take both. */
function readRepeated(reader: BinaryReader, wireType: WireType, type: Field['type'], into: unknown[]): void {
  const packed = wireType === WireType.LengthDelimited && isScalar(type) && wireTypes[type] !== wireType
  const end = packed ? reader.uint32() + reader.pos : reader.pos + 1
  while (reader.pos < end) into.push(readValue(reader, type))
}

function readValue(reader: BinaryReader, type: Field['type']): unknown {
  switch (type) {
    case 'int64':
    case 'uint64':
      return Number(reader[type]())
    case 'int32':
    case 'float':
    case 'double':
    case 'string':
    case 'bytes':
      return reader[type]()
    default: {
      const length = reader.uint32()
      return readMessage(reader, reader.pos + length, type)
    }
  }
}

function writeMessage(writer: BinaryWriter, message: Message, name: MessageName): void {
  for (const f of schema[name]) {
    const value = message[f.name]
    if (value === undefined) continue
    if (!f.repeated) writeField(writer, f, value)
    else if (isScalar(f.type) && wireTypes[f.type] !== WireType.LengthDelimited)
      writePacked(writer, f, value as number[])
    else for (const item of value as unknown[]) writeField(writer, f, item)
  }
}

function writeField(writer: BinaryWriter, f: Field, value: unknown): void {
  writer.tag(f.number, isScalar(f.type) ? wireTypes[f.type] : WireType.LengthDelimited)
  if (isScalar(f.type)) writeScalar(writer, f.type, value)
  else {
    writer.fork()
    writeMessage(writer, value as Message, f.type)
    writer.join()
  }
}

function writePacked(writer: BinaryWriter, f: Field, values: readonly number[]): void {
  if (values.length === 0) return
  writer.tag(f.number, WireType.LengthDelimited).fork()
  for (const value of values) writeScalar(writer, f.type as Scalar, value)
  writer.join()
}

function writeScalar(writer: BinaryWriter, type: Scalar, value: unknown): void {
  writer[type]((type === 'int64' ? toInt64(value as number) : value) as never)
}

function isScalar(type: Field['type']): type is Scalar {
  return type in wireTypes
}
