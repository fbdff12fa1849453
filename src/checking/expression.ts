/** A formula as people write it, `max(ap - an + margin, 0)`, turned into a graph. It is parsed, never evaluated as code. */
import { type MathNode, parse } from 'mathjs'
import { UsageError } from '../errors.ts'
import { scalar, type Value } from '../graph/value.ts'
import type { TripletFormula } from '../losses/loss.ts'

const LONGEST = 1000

const operators: Readonly<Record<string, (operands: readonly Value[]) => Value>> = {
  add: ([a, b]) => a!.add(b!),
  subtract: ([a, b]) => a!.sub(b!),
  multiply: ([a, b]) => a!.mul(b!),
  divide: ([a, b]) => a!.div(b!),
  pow: ([a, b]) => a!.pow(b!),
  unaryMinus: ([a]) => a!.neg(),
  unaryPlus: ([a]) => a!,
}

/** Each with how many arguments it takes. */
const functions: Readonly<
  Record<string, readonly [least: number, most: number, of: (args: readonly Value[]) => Value]>
> = {
  max: [2, 10, (args) => args.reduce((a, b) => a.maximum(b))],
  min: [2, 10, (args) => args.reduce((a, b) => a.minimum(b))],
  exp: [1, 1, ([a]) => a!.exp()],
  log: [1, 1, ([a]) => a!.log()],
  sqrt: [1, 1, ([a]) => a!.sqrt()],
  softplus: [1, 1, ([a]) => a!.softplus()],
  relu: [1, 1, ([a]) => a!.relu()],
}

const LANGUAGE = `ap, an, pn, margin, numbers, + - * / ^, and ${Object.keys(functions).join(', ')}`

/** A formula whose margin is still open. */
export interface Expression {
  readonly text: string
  /** Whether the margin has a part in it. */
  readonly hasMargin: boolean
  with(margin: number | undefined): TripletFormula
}

/**
 * Reads a formula in `ap`, `an` and `pn`, the distances of a triplet, and `margin`.
 *
 * @throws UsageError if it is not written in that language.
 */
export function parseExpression(text: string): Expression {
  if (text.length > LONGEST) {
    throw new UsageError(`The formula has ${text.length} characters; expected at most ${LONGEST}.`)
  }
  if (text.trim() === '') throw new UsageError('The formula is empty. Write one such as max(ap - an + margin, 0).')
  const root = parsed(text)
  const names = new Set<string>()
  root.traverse((node) => {
    if ('name' in node && typeof node.name === 'string') names.add(node.name)
  })
  const expression = {
    text,
    hasMargin: names.has('margin'),
    with:
      (margin: number | undefined): TripletFormula =>
      (distances) => {
        const build = (node: MathNode): Value => {
          switch (node.type) {
            case 'ParenthesisNode':
              return build((node as unknown as { content: MathNode }).content)
            case 'ConstantNode':
              return number((node as unknown as { value: unknown }).value, text)
            case 'SymbolNode':
              return symbol((node as unknown as { name: string }).name, distances, margin, text)
            case 'OperatorNode': {
              const { fn, op, args } = node as unknown as { fn: string; op: string; args: MathNode[] }
              const operator = operators[fn]
              if (!operator) throw unknown(op, text)
              return operator(args.map(build))
            }
            case 'FunctionNode': {
              const { fn, args } = node as unknown as { fn: { name?: string }; args: MathNode[] }
              const [least, most, of] = (Object.hasOwn(functions, fn.name ?? '') && functions[fn.name!]) || []
              if (!of) throw unknown(fn.name ?? String(node), text)
              if (args.length < least! || args.length > most!) {
                throw new UsageError(
                  `${fn.name} takes ${least === most ? least : `at least ${least}`} ${most === 1 ? 'argument' : 'arguments'}, found ${args.length} in \`${text}\`.`,
                )
              }
              return of(args.map(build))
            }
            default:
              throw unknown(String(node), text)
          }
        }
        // A term for each triplet, even where the formula leaves its distances out.
        return build(root).add(distances.ap.mul(0))
      },
  }
  // Whatever cannot be built is found now.
  const one = scalar(1)
  expression.with(0)({ ap: one, an: one, pn: one })
  return expression
}

function parsed(text: string): MathNode {
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(
      `The formula \`${text}\` cannot be read: ${(error as Error).message}. It is written in ${LANGUAGE}; for example max(ap - an + margin, 0).`,
    )
  }
}

function number(value: unknown, text: string): Value {
  if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return scalar(value)
  throw unknown(String(value), text)
}

function symbol(
  name: string,
  distances: Parameters<TripletFormula>[0],
  margin: number | undefined,
  text: string,
): Value {
  if (name === 'ap' || name === 'an' || name === 'pn') return distances[name]
  if (name !== 'margin') throw unknown(name, text)
  if (margin !== undefined) return scalar(margin)
  throw new UsageError(`The formula \`${text}\` has a margin. Say how large it is with --margin.`)
}

function unknown(what: string, text: string): UsageError {
  return new UsageError(`The formula \`${text}\` holds ${what}; it may be written in ${LANGUAGE}.`)
}
