/** Equations of Einsum as the graph's builder takes them: with letters alone. */
import { GraphError } from '../../errors.ts'
import { parseEinsum } from '../../graph/operators/linear.ts'

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz']
const ELLIPSIS = '...'

/**
 * An equation with letters in place of its ellipsis, as many as the operands' ranks leave it.
 *
 * @throws GraphError where the runtime refuses it: if it stands for another number of axes in one operand than in another,
 *   or is on one side of the arrow alone.
 */
export function spelledOut(equation: string, ranks: readonly number[]): string {
  if (!equation.includes(ELLIPSIS)) return equation
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string?]
  const operands = left.split(',')
  if (operands.length !== ranks.length) {
    throw new GraphError(`The equation ${equation} has ${operands.length} operands, found ${ranks.length}.`)
  }
  if (right !== undefined && right.includes(ELLIPSIS) !== left.includes(ELLIPSIS)) {
    throw new GraphError(
      `The equation ${equation} has an ellipsis on one side of the arrow alone; expected both or none.`,
    )
  }
  const counts = operands.flatMap((each, i) =>
    each.includes(ELLIPSIS) ? [ranks[i]! - each.replace(ELLIPSIS, '').length] : [],
  )
  const [count = 0] = counts
  if (counts.some((each) => each !== count || each < 0)) {
    throw new GraphError(
      `The ellipsis of ${equation} stands for ${counts.join(' and ')} axes; expected as many in each operand, at least 0.`,
    )
  }
  const letters = alphabet.filter((letter) => !equation.includes(letter)).slice(0, count)
  const spell = (each: string) => each.replace(ELLIPSIS, letters.join(''))
  return `${operands.map(spell).join()}->${spell(right ?? ELLIPSIS + parseEinsum(left.replaceAll(ELLIPSIS, '')).result)}`
}
