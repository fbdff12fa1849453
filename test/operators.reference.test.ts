/** Every operator that exists, forwards and backwards, against PyTorch's values. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import type { Attributes } from '../src/graph/operators/operator.ts'
import { operators } from '../src/graph/operators/table.ts'
import { apply, constant, input, integers, type Value } from '../src/graph/value.ts'
import { type DType, type Tensor, toTypedArray } from '../src/tensor.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

interface Data {
  shape: number[]
  dtype: string
  data: number[]
}
interface Case {
  operator: string
  attributes: Record<string, number | string | number[]>
  inputs: Data[]
  output: Data
  upstream: Data
  gradients: (Data | null)[]
  note?: string
}

const dtypes: Record<string, DType> = { float: 'float32', int64: 'int64', bool: 'bool', int32: 'int32' }
/** Inputs that hold axes, shapes and the like have to be constants; which ones, by operator. */
const constantInputs: Record<string, (i: number) => boolean> = {
  Gather: () => false,
  GatherElements: () => false,
  GatherND: () => false,
  ScatterElements: () => false,
}

/** The reference states axes and scales as attributes where newer operator sets take inputs. */
function build({ operator, attributes, inputs, note }: Case): { values: Value[]; output: Value } {
  const { axes, scales, ...rest } = attributes
  const values = inputs.map(({ shape, dtype, data }, i) =>
    dtype === 'int64' && (constantInputs[operator] ?? (() => true))(i)
      ? constant('int64', shape, data)
      : input(`x${i}`, dtypes[dtype]!, shape),
  )
  const all: (Value | undefined)[] = [...values]
  if (axes) all.push(integers(axes as number[]))
  if (scales) all.push(undefined, constant('float32', [(scales as number[]).length], scales as number[]))
  return { values, output: apply(operator, all, rest as Attributes)[note === 'second output' ? 1 : 0]! }
}

test('operators and their gradients equal PyTorch', async () => {
  const { cases } = readReference<{ cases: Case[] }>('operators.json')
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const each of cases) {
    const name = each.operator
    if (!(name in operators)) {
      waiting[name] = (waiting[name] ?? 0) + 1
      continue
    }
    const what = `${name} ${each.note ?? ''}`
    const { values, output } = build(each)
    expect(output.shape, what).toEqual(each.output.shape)
    const targets = values.filter((_, i) => each.gradients[i])
    const upstream = input('upstream', 'float32', output.shape)
    const gradients = differentiate(output, targets, upstream)
    const program = await compile({ output, ...Object.fromEntries(gradients.map((g, i) => [`gradient${i}`, g])) })
    const feeds: Record<string, Tensor> = {}
    for (const [value, { shape, data, dtype }] of [
      ...values.map((value, i) => [value, each.inputs[i]!] as const),
      [upstream, each.upstream] as const,
    ]) {
      if (value.source.kind !== 'input') continue
      feeds[value.source.name] = { dtype: dtypes[dtype]!, shape, data: toTypedArray(dtypes[dtype]!, data) }
    }
    const results = await program.run(feeds)
    await program.release()
    expectClose(results.output!.data as Float32Array, each.output.data, what)
    each.gradients
      .filter((gradient) => gradient !== null)
      .forEach((gradient, i) => {
        expect(results[`gradient${i}`]!.shape, `${what}: gradient ${i}`).toEqual(gradient.shape)
        expectClose(results[`gradient${i}`]!.data as Float32Array, gradient.data, `${what}: gradient ${i}`)
      })
    checked[name] = (checked[name] ?? 0) + 1
  }
  report('operators', checked, waiting)
})
