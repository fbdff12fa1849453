/**
 * Conditions on an item's columns, in SQL's words: `camera = 'a' AND NOT (year < 2020 OR label IN ('x', 'y'))`. Also LIKE with %
 * and _, IS NULL and IS NOT NULL; "a column" in double quotes, 'text' in single ones. Nothing else can be said, so that a
 * condition may come from anybody.
 */
import jsep from 'jsep'
import { UsageError } from '../errors.ts'
import type { Scalar } from './store/entry.ts'

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly column: string; readonly value: Scalar }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly Scalar[] }
  | { readonly kind: 'null'; readonly column: string }

type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'like'

/** Spellings of comparisons. */
const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ...(['=', '<>', '<', '<=', '>', '>=', 'like'] as const).map((name): [string, Comparison] => [name, name]),
  ['==', '='],
  ['!=', '<>'],
])

/** The same comparison from the other side. */
const mirrored: Readonly<Partial<Record<Comparison, Comparison>>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' }

const LONGEST = 4096

const both = (word: string) => [word, word.toUpperCase()]
for (const word of both('or')) jsep.addBinaryOp(word, 1)
for (const word of both('and')) jsep.addBinaryOp(word, 2)
for (const word of ['like', 'in', 'is', 'not like', 'not in'].flatMap(both)) jsep.addBinaryOp(word, 6)
for (const word of ['=', '<>']) jsep.addBinaryOp(word, 6)
for (const word of both('not')) jsep.addUnaryOp(word)

/**
 * @param columns the names that there are.
 * @throws UsageError if it is no such condition, or of a column that is not there.
 */
export function parseCondition(text: string, columns: readonly string[]): Expression {
  if (text.length > LONGEST)
    throw new UsageError(`A condition has at most ${LONGEST} characters, found ${text.length}.`)
  const bad = (what: string) =>
    new UsageError(
      `The condition ${text} cannot be read: ${what}. Write as in SQL: camera = 'a' AND (year >= 2020 OR label IN ('x', 'y')).`,
    )
  let parsed: jsep.Expression
  try {
    parsed = jsep(text)
  } catch (error) {
    throw bad((error as Error).message.replace(/ at character \d+$/, ''))
  }

  function read(node: jsep.Expression): Expression {
    if (node.type === 'UnaryExpression' && wordOf(node) === 'not') return { kind: 'not', of: read(argumentOf(node)) }
    if (node.type !== 'BinaryExpression') throw bad(`found ${spelled(node)} in place of a comparison`)
    const { left, right } = node as jsep.BinaryExpression
    const operator = wordOf(node)
    if (operator.startsWith('not ')) return { kind: 'not', of: read({ ...node, operator: operator.slice(4) }) }
    if (operator === 'and' || operator === 'or') return { kind: operator, left: read(left), right: read(right) }
    // In SQL, NOT is about all of a comparison; to the parser it is part of its left side.
    if (left.type === 'UnaryExpression' && wordOf(left) === 'not') {
      return { kind: 'not', of: read({ ...node, left: argumentOf(left) }) }
    }
    if (operator === 'is') return isNull(left, right)
    if (operator === 'in') {
      const list = right.type === 'SequenceExpression' ? (right as jsep.SequenceExpression).expressions : [right]
      return { kind: 'in', column: column(left), values: list.map(value) }
    }
    const comparison = comparisons.get(operator)
    if (!comparison) throw bad(`${operator} is not known`)
    if (!isColumn(left) && isColumn(right)) {
      return {
        kind: 'compare',
        operator: mirrored[comparison] ?? comparison,
        column: column(right),
        value: value(left),
      }
    }
    return { kind: 'compare', operator: comparison, column: column(left), value: value(right) }
  }

  function isNull(left: jsep.Expression, right: jsep.Expression): Expression {
    const negated = right.type === 'UnaryExpression' && wordOf(right) === 'not'
    const of = negated ? argumentOf(right) : right
    const isNothing = of.type === 'Literal' ? of.value === null : nameOf(of)?.toLowerCase() === 'null'
    if (!isNothing) throw bad('IS is followed by NULL or NOT NULL')
    const found: Expression = { kind: 'null', column: column(left) }
    return negated ? { kind: 'not', of: found } : found
  }

  function column(node: jsep.Expression): string {
    const name = nameOf(node)
    if (name === undefined) throw bad(`found ${spelled(node)} in place of a column`)
    const known =
      columns.find((each) => each === name) ?? columns.find((each) => each.toLowerCase() === name.toLowerCase())
    if (known !== undefined) return known
    throw new UsageError(
      `There is no column ${name}. There ${columns.length === 1 ? 'is' : 'are'} ${columns.join(', ')}.`,
    )
  }

  function value(node: jsep.Expression): Scalar {
    if (node.type === 'UnaryExpression' && node.operator === '-') {
      const number = value(argumentOf(node))
      if (typeof number === 'number') return -number
    }
    const word = nameOf(node)?.toLowerCase()
    if (node.type === 'Literal' && !isColumn(node)) {
      if (['string', 'number', 'boolean'].includes(typeof node.value)) return node.value as Scalar
    } else if (word === 'true' || word === 'false') return word === 'true'
    throw bad(`found ${spelled(node)} in place of a number or a text in single quotes`)
  }

  return read(parsed)
}

/** Whether an item's columns meet a condition. As in SQL, what is compared with nothing is not met, nor is its opposite. */
export function meets(expression: Expression, columnOf: (name: string) => Scalar): boolean {
  return truth(expression, columnOf) === true
}

function truth(expression: Expression, columnOf: (name: string) => Scalar): boolean | null {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const decided = expression.kind === 'or'
      const left = truth(expression.left, columnOf)
      if (left === decided) return decided
      const right = truth(expression.right, columnOf)
      if (right === decided) return decided
      return left === null || right === null ? null : !decided
    }
    case 'not': {
      const found = truth(expression.of, columnOf)
      return found === null ? null : !found
    }
    case 'null':
      return columnOf(expression.column) === null
    case 'in': {
      const found = columnOf(expression.column)
      return found === null ? null : expression.values.some((value) => compare('=', found, value))
    }
    case 'compare': {
      const found = columnOf(expression.column)
      return found === null ? null : compare(expression.operator, found, expression.value)
    }
  }
}

function compare(operator: Comparison, found: Exclude<Scalar, null>, value: Scalar): boolean {
  // Numbers that a table holds as texts compare as numbers with numbers.
  const left = typeof value === 'number' && typeof found === 'string' && found !== '' ? Number(found) : found
  switch (operator) {
    case '=':
      return left === value
    case '<>':
      return left !== value
    case 'like':
      return typeof value === 'string' && like(String(left), value)
    default: {
      if (typeof left !== typeof value) return false
      if (operator === '<') return left < value!
      if (operator === '<=') return left <= value!
      return operator === '>' ? left > value! : left >= value!
    }
  }
}

/** % stands for any characters, _ for one. Only the last % is tried again, so that no pattern takes long. */
function like(text: string, pattern: string): boolean {
  let [at, next, again, from] = [0, 0, -1, 0]
  while (at < text.length) {
    if (pattern[next] === '%') {
      again = next++
      from = at
    } else if (pattern[next] === '_' || pattern[next] === text[at]) {
      next++
      at++
    } else if (again >= 0) {
      next = again + 1
      at = ++from
    } else return false
  }
  while (pattern[next] === '%') next++
  return next === pattern.length
}

function wordOf(node: jsep.Expression): string {
  return String(node.operator).toLowerCase()
}

function argumentOf(node: jsep.Expression): jsep.Expression {
  return (node as jsep.UnaryExpression).argument
}

function isColumn(node: jsep.Expression): boolean {
  return nameOf(node) !== undefined && !/^(true|false|null)$/i.test(nameOf(node)!)
}

/** A name as it stands, or in double quotes. */
function nameOf(node: jsep.Expression): string | undefined {
  if (node.type === 'Identifier') return String(node.name)
  const quoted = node.type === 'Literal' && String(node.raw).startsWith('"')
  return quoted ? String(node.value) : undefined
}

function spelled(node: jsep.Expression): string {
  return node.type === 'Literal' ? String(node.raw) : node.type === 'Identifier' ? String(node.name) : 'something else'
}
