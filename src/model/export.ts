/** From a trained encoder to an ordinary ONNX file. */

import { compile } from '../compile.ts'
import type { Encoder, Values, Variables } from '../encoders/encoder.ts'
import { UsageError } from '../errors.ts'
import { toInputs } from '../graph/inputs.ts'
import { settled, substitute } from '../graph/substitute.ts'
import { toModel } from '../graph/to-onnx.ts'
import { constant, input, type Value } from '../graph/value.ts'
import type { Metric } from '../metrics/metric.ts'
import { unit } from '../metrics/unit.ts'
import { writeModel } from '../onnx/codec.ts'

/**
 * The encoder as an ONNX model: input `pixels` [n, channels, height, width] float32 0–255, or the encoder's named tensors;
 * output `embedding` [n, d], n free. Preprocessing is inside, and unit length where the metric looks at directions only, so that any vector store
 * agrees. What depends on the variables alone (normalisation folded into weights) is computed here and stored.
 */
export async function exportEncoder(encoder: Encoder, variables: Variables, metric: Metric): Promise<Uint8Array> {
  const finish = (embedding: Value) => (metric.directional ? unit(embedding) : embedding)
  if (encoder.toModel) return writeModel(encoder.toModel(variables, finish))
  const inputs = inputsOf(encoder)
  const { embedding } = await encoder.build(inputs, toInputs(variables), 'infer')
  const outputs = { embedding: finish(embedding) }
  const constants = await evaluate(settled(outputs, Object.values(inputs)), variables)
  return writeModel(toModel(substitute(outputs, constants), { freeAxis: 'n' }))
}

/** One row of what the encoder takes: nothing in it depends on how many there are, and the file leaves that free. */
function inputsOf({ name, input: taken }: Encoder): Values {
  if (!('tensors' in taken)) {
    return { pixels: input('pixels', 'float32', [1, taken.channels, taken.height, taken.width]) }
  }
  const values = taken.tensors.map((tensor) => {
    const shape = tensor.shape.map((extent, axis) => (axis === 0 ? 1 : extent))
    if (shape.every((extent) => typeof extent === 'number'))
      return [tensor.name, input(tensor.name, tensor.dtype, shape)]
    throw new UsageError(`The encoder ${name} leaves axes of ${tensor.name} open and has no toModel.`)
  })
  return Object.fromEntries(values) as Values
}

/** Constants that hold what values are for these variables. */
async function evaluate(values: readonly Value[], variables: Variables): Promise<Map<Value, Value>> {
  if (values.length === 0) return new Map()
  const program = await compile(Object.fromEntries(values.map((value, i) => [`folded${i}`, value])))
  const results = await program.run(variables)
  await program.release()
  return new Map(
    values.map((value, i) => {
      const { dtype, shape, data } = results[`folded${i}`]!
      return [value, constant(dtype, shape, data as Float32Array)]
    }),
  )
}
