/** Matrix products. */
import { GraphError } from '../../errors.ts'
import { describe } from '../../tensor.ts'
import { broadcast, expectRank, type Infer, required } from './operator.ts'

const matMul: Infer = (inputs) => {
  const [a, b] = [required(inputs, 0), required(inputs, 1)]
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  if (left.length < 2 || right.length < 2 || left.at(-1) !== right.at(-2)) {
    throw new GraphError(`${describe(a)} × ${describe(b)}: the inner extents differ`)
  }
  const shape = broadcast([left.slice(0, -2), right.slice(0, -2)])
  if (a.shape.length > 1) shape.push(left.at(-2)!)
  if (b.shape.length > 1) shape.push(right.at(-1)!)
  return [{ dtype: a.dtype, shape }]
}

const gemm: Infer = (inputs, { transA = 0, transB = 0 }) => {
  const [a, b] = [required(inputs, 0), required(inputs, 1)]
  expectRank(a, 2)
  expectRank(b, 2)
  const [rows, inner] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]
  const [innerB, columns] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!]
  if (inner !== innerB) throw new GraphError(`${describe(a)} × ${describe(b)}: the inner extents differ`)
  if (inputs[2] && broadcast([inputs[2].shape, [rows, columns]]).join() !== `${rows},${columns}`) {
    throw new GraphError(`${describe(inputs[2])} cannot be added to [${rows}, ${columns}]`)
  }
  return [{ dtype: a.dtype, shape: [rows, columns] }]
}

/** The letters of each operand and of the result. */
export function parseEinsum(equation: string): { operands: string[]; result: string } {
  const [left, right] = equation.replaceAll(' ', '').split('->')
  const operands = left!.split(',')
  const letters = [...operands.join('')]
  const once = [...new Set(letters)].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort()
  const result = right ?? once.join('')
  if (![...operands, result].every((each) => /^[a-zA-Z]*$/.test(each) && new Set(each).size === each.length)) {
    throw new GraphError(`the equation ${equation} has an ellipsis or a repeated letter, which is not supported`)
  }
  if (![...result].every((letter) => letters.includes(letter))) {
    throw new GraphError(`the equation ${equation} has a result of letters that no operand has`)
  }
  return { operands, result }
}

const einsum: Infer = (inputs, { equation }) => {
  const { operands, result } = parseEinsum(equation as string)
  if (operands.length !== inputs.length) {
    throw new GraphError(`the equation ${equation} has ${operands.length} operands, found ${inputs.length}`)
  }
  const extents = new Map<string, number>()
  operands.forEach((letters, i) => {
    const x = required(inputs, i)
    expectRank(x, letters.length)
    ;[...letters].forEach((letter, axis) => {
      const known = extents.get(letter) ?? x.shape[axis]!
      if (known !== x.shape[axis]) throw new GraphError(`${letter} of ${equation} is ${known} and ${x.shape[axis]}`)
      extents.set(letter, known)
    })
  })
  return [{ dtype: required(inputs, 0).dtype, shape: [...result].map((letter) => extents.get(letter)!) }]
}

export const linear: Readonly<Record<string, Infer>> = { MatMul: matMul, Gemm: gemm, Einsum: einsum }
