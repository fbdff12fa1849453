/** Encoders: from inputs to embeddings. */
export { type ConvolutionalOptions, convolutional } from './convolutional.ts'
export type { Encoder, Mode, Pixels, Values, Variable, Variables } from './encoder.ts'
export { type Inspection, inspect, type OperatorUse, type Parameter, type Port } from './inspect.ts'
export { type MlpOptions, mlp } from './mlp.ts'
