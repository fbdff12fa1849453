/** A transformer encoder of embedded tokens, as PyTorch's TransformerEncoderLayer has it: attention, then norm, twice a layer. */
import type { Encoder, Values, Variables } from '../src/encoders/index.ts'
import { apply, one, type Value } from '../src/graph/value.ts'
import { random } from '../src/random.ts'
import { size } from '../src/tensor.ts'

export interface TransformerOptions {
  readonly layers: number
  readonly tokens: number
  readonly width: number
  readonly heads: number
}

/** [n, tokens, width] → the mean over the tokens, [n, width]. The feed-forward layers are four times as wide. */
export function transformer({ layers, tokens, width, heads }: TransformerOptions): Encoder {
  const shapes: Record<string, readonly number[]> = {
    attention: [3 * width, width],
    output: [width, width],
    wide: [4 * width, width],
    narrow: [width, 4 * width],
  }
  return {
    name: 'transformer',
    input: { tensors: [{ name: 'tokens', dtype: 'float32', shape: ['n', tokens, width] }] },
    dimension: width,
    settings: { layers, width, heads },
    variables(seed) {
      const { uniforms } = random(seed, 'transformer')
      const all: Record<string, Variables[string]> = {}
      const add = (name: string, shape: readonly number[], data: Float32Array<ArrayBuffer>) => {
        all[name] = { dtype: 'float32', shape, data, trained: true }
      }
      for (let i = 0; i < layers; i++) {
        for (const [name, shape] of Object.entries(shapes)) {
          const bound = 1 / Math.sqrt(shape[1]!)
          add(`${i}.${name}.weight`, shape, uniforms(size(shape), -bound, bound))
          add(`${i}.${name}.bias`, [shape[0]!], new Float32Array(shape[0]!))
        }
        for (const norm of ['norm1', 'norm2']) {
          add(`${i}.${norm}.scale`, [width], new Float32Array(width).fill(1))
          add(`${i}.${norm}.shift`, [width], new Float32Array(width))
        }
      }
      return all
    },
    build({ tokens: embedded }, variables) {
      const rows = embedded!.shape[0]! * tokens
      let x = embedded!.reshape([rows, width])
      for (let i = 0; i < layers; i++) x = layer(x, `${i}.`, variables, tokens, heads)
      return { embedding: x.reshape([-1, tokens, width]).mean([1]), state: {} }
    },
  }
}

/** [n · tokens, width] → the same. */
function layer(x: Value, name: string, variables: Values, tokens: number, heads: number): Value {
  const dense = (input: Value, part: string) =>
    one('Gemm', [input, variables[`${name}${part}.weight`], variables[`${name}${part}.bias`]], { transB: 1 })
  const normalize = (input: Value, part: string) =>
    one('LayerNormalization', [input, variables[`${name}${part}.scale`], variables[`${name}${part}.shift`]], {
      axis: -1,
    })
  const attended = normalize(x.add(dense(attention(dense(x, 'attention'), tokens, heads), 'output')), 'norm1')
  return normalize(attended.add(dense(one('Gelu', [dense(attended, 'wide')]), 'narrow')), 'norm2')
}

/** Queries, keys and values side by side, [n · tokens, 3 · width], → [n · tokens, width]. */
function attention(x: Value, tokens: number, heads: number): Value {
  const [rows, all] = x.shape as [number, number]
  const [n, size] = [rows / tokens, all / 3 / heads]
  const parts = x.reshape([n, tokens, 3, heads, size]).transpose([2, 0, 3, 1, 4])
  const [queries, keys, values] = apply('Split', [parts], { axis: 0, num_outputs: 3 }).map((each) =>
    each.squeeze([0]),
  ) as [Value, Value, Value]
  const scores = queries.mul(1 / Math.sqrt(size)).matmul(keys.transpose([0, 1, 3, 2]))
  const mixed = one('Softmax', [scores], { axis: -1 }).matmul(values)
  return mixed.transpose([0, 2, 1, 3]).reshape([rows, all / 3])
}
