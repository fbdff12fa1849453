/** The messages of the ONNX file format that this library reads and writes: field numbers and types, as onnx.proto states them. */

/** How one field is written: a scalar of the wire format, or another message by name. */
export type FieldType = 'int32' | 'int64' | 'float' | 'double' | 'uint64' | 'string' | 'bytes' | MessageName

export interface Field {
  readonly number: number
  readonly name: string
  readonly type: FieldType
  readonly repeated?: boolean
}

export type MessageName =
  | 'Model'
  | 'OperatorSet'
  | 'Entry'
  | 'Graph'
  | 'Node'
  | 'Attribute'
  | 'Tensor'
  | 'ValueInfo'
  | 'Type'
  | 'TensorType'
  | 'Shape'
  | 'Dimension'

const field = (number: number, name: string, type: FieldType): Field => ({ number, name, type })
const list = (number: number, name: string, type: FieldType): Field => ({ number, name, type, repeated: true })

export const schema: Readonly<Record<MessageName, readonly Field[]>> = {
  Model: [
    field(1, 'irVersion', 'int64'),
    field(2, 'producerName', 'string'),
    field(3, 'producerVersion', 'string'),
    field(7, 'graph', 'Graph'),
    list(8, 'operatorSets', 'OperatorSet'),
    list(14, 'metadata', 'Entry'),
  ],
  OperatorSet: [field(1, 'domain', 'string'), field(2, 'version', 'int64')],
  Entry: [field(1, 'key', 'string'), field(2, 'value', 'string')],
  Graph: [
    list(1, 'nodes', 'Node'),
    field(2, 'name', 'string'),
    list(5, 'initializers', 'Tensor'),
    list(11, 'inputs', 'ValueInfo'),
    list(12, 'outputs', 'ValueInfo'),
    list(13, 'values', 'ValueInfo'),
  ],
  Node: [
    list(1, 'inputs', 'string'),
    list(2, 'outputs', 'string'),
    field(3, 'name', 'string'),
    field(4, 'operator', 'string'),
    list(5, 'attributes', 'Attribute'),
    field(7, 'domain', 'string'),
  ],
  Attribute: [
    field(1, 'name', 'string'),
    field(2, 'float', 'float'),
    field(3, 'int', 'int64'),
    field(4, 'string', 'bytes'),
    field(5, 'tensor', 'Tensor'),
    field(6, 'graph', 'Graph'),
    list(7, 'floats', 'float'),
    list(8, 'ints', 'int64'),
    list(9, 'strings', 'bytes'),
    field(20, 'type', 'int32'),
  ],
  Tensor: [
    list(1, 'dimensions', 'int64'),
    field(2, 'dataType', 'int32'),
    list(4, 'floatData', 'float'),
    list(5, 'int32Data', 'int32'),
    list(7, 'int64Data', 'int64'),
    field(8, 'name', 'string'),
    field(9, 'rawData', 'bytes'),
    list(10, 'doubleData', 'double'),
    list(11, 'uint64Data', 'uint64'),
    list(13, 'externalData', 'Entry'),
    field(14, 'dataLocation', 'int32'),
  ],
  ValueInfo: [field(1, 'name', 'string'), field(2, 'type', 'Type')],
  Type: [field(1, 'tensor', 'TensorType')],
  TensorType: [field(1, 'elementType', 'int32'), field(2, 'shape', 'Shape')],
  Shape: [list(1, 'dimensions', 'Dimension')],
  Dimension: [field(1, 'value', 'int64'), field(2, 'parameter', 'string')],
}

/** `TensorProto.DataType`: the numbers that files use for element types. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
} as const

/** `AttributeProto.AttributeType`. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const

export interface Model {
  irVersion: number
  producerName?: string
  producerVersion?: string
  graph: Graph
  operatorSets: { domain?: string; version: number }[]
  metadata: Entry[]
}
export interface Entry {
  key: string
  value: string
}
export interface Graph {
  name?: string
  nodes: Node[]
  initializers: Tensor[]
  inputs: ValueInfo[]
  outputs: ValueInfo[]
  values: ValueInfo[]
}
export interface Node {
  name?: string
  operator: string
  domain?: string
  inputs: string[]
  outputs: string[]
  attributes: Attribute[]
}
export interface Attribute {
  name: string
  type: number
  float?: number
  int?: number
  string?: Uint8Array
  tensor?: Tensor
  graph?: Graph
  floats: number[]
  ints: number[]
  strings: Uint8Array[]
}
export interface Tensor {
  name?: string
  dimensions: number[]
  dataType: number
  rawData?: Uint8Array
  floatData: number[]
  int32Data: number[]
  int64Data: number[]
  doubleData: number[]
  uint64Data: number[]
  externalData: Entry[]
  dataLocation?: number
}
export interface ValueInfo {
  name: string
  type?: { tensor?: { elementType?: number; shape?: { dimensions: { value?: number; parameter?: string }[] } } }
}
