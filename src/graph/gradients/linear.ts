/** Gradients of matrix products. */
import { beforeExchange, exchanged } from '../exchange.ts'
import { parseEinsum } from '../operators/linear.ts'
import { one, type Value } from '../value.ts'
import { inputsOf, type Rule, type Rules, unbroadcast } from './rule.ts'

/** A product of two matrices, either of them transposed on the fly. */
function product(a: Value, b: Value, transA: boolean, transB: boolean, alpha = 1): Value {
  return one('Gemm', [a, b], { transA: Number(transA), transB: Number(transB), alpha })
}

const matMul: Rule = (g, node) => {
  const [a, b] = inputsOf(node) as [Value, Value]
  if (a.shape.length === 2 && b.shape.length === 2) return [product(g, b, false, true), product(a, g, true, false)]
  // A vector is a matrix of one row (left) or one column (right) for the product, and loses that axis afterwards.
  const left = a.shape.length === 1 ? a.unsqueeze([0]) : a
  const right = b.shape.length === 1 ? b.unsqueeze([1]) : b
  let upstream = g
  if (b.shape.length === 1) upstream = upstream.unsqueeze([upstream.shape.length])
  if (a.shape.length === 1) upstream = upstream.unsqueeze([upstream.shape.length - 1])
  // To an operand that was exchanged goes an exchanged gradient: the two exchanges cancel.
  const ofLeft = beforeExchange(left) ? exchanged(right.matmul(exchanged(upstream))) : upstream.matmul(exchanged(right))
  const ofRight = beforeExchange(right) ? exchanged(exchanged(upstream).matmul(left)) : exchanged(left).matmul(upstream)
  return [unbroadcast(ofLeft, left.shape).reshape(a.shape), unbroadcast(ofRight, right.shape).reshape(b.shape)]
}

const gemm: Rule = (g, node) => {
  const [a, b, c] = node.inputs as [Value, Value, Value | undefined]
  const { transA = 0, transB = 0, alpha = 1, beta = 1 } = node.attributes as Record<string, number>
  const gradientA = transA ? product(b, g, !!transB, true, alpha) : product(g, b, false, !transB, alpha)
  const gradientB = transB ? product(g, a, true, !!transA, alpha) : product(a, g, !transA, false, alpha)
  return [gradientA, gradientB, c && unbroadcast(beta === 1 ? g : g.mul(beta), c.shape)]
}

/** To each operand the product of the gradient and the others, summed down to its letters. */
const einsum: Rule = (g, node) => {
  const { operands, result } = parseEinsum(node.attributes.equation as string)
  const inputs = inputsOf(node)
  return inputs.map((x, i) => {
    const letters = operands[i]!
    const others = operands.flatMap((each, k) => (k === i ? [] : [{ letters: each, value: inputs[k]! }]))
    const terms = [{ letters: result, value: g }, ...others]
    // Letters of this operand alone were summed over: each of their elements gets the same.
    const known = [...letters].filter((letter) => terms.some((term) => term.letters.includes(letter))).join('')
    const equation = `${terms.map((term) => term.letters).join()}->${known}`
    const values = terms.map((term) => term.value)
    const alone = [...letters].flatMap((letter, axis) => (known.includes(letter) ? [] : [axis]))
    const reduced = one('Einsum', values, { equation })
    return alone.length === 0 ? reduced : reduced.unsqueeze(alone).expand(x.shape)
  })
}

export const linear: Rules = { MatMul: matMul, Gemm: gemm, Einsum: einsum }
