/** Encoders: from inputs to embeddings. */
export { type AdapterOptions, identity, linear, type VectorMlpOptions } from './adapters.ts'
export { type ConvolutionalOptions, convolutional } from './convolutional.ts'
export { dropout, type Mask, mask } from './dropout.ts'
export {
  type Encoded,
  type Encoder,
  type Mode,
  type NamedTensor,
  type NamedTensors,
  type Pixels,
  takesImages,
  type Values,
  type Variable,
  type Variables,
} from './encoder.ts'
export type { Head } from './imported/head.ts'
export type { Pooling } from './imported/pool.ts'
export { type Inspection, inspect, type OperatorUse, type Parameter, type Port } from './inspect.ts'
export { type MlpOptions, mlp } from './mlp.ts'
