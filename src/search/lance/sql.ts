/** A condition as SQL that means the same over the columns of a table of items. */
import type { Expression } from '../condition.ts'
import { literalOf } from './literal.ts'

/** The columns that one column of items becomes: its value as a text, as a number where it is one, and which kind it is. */
export const columnNames = (number: number) => ({ text: `c${number}_s`, number: `c${number}_n`, kind: `c${number}_k` })

/**
 * What is true where an item meets the condition, and false where it does not: nothing in between.
 *
 * @param numberOf the number of a column.
 */
export function sqlOf(expression: Expression, numberOf: (column: string) => number): string {
  return holds(expression, true)

  /** Where the expression is true, or where it is false: in SQL, what is about nothing is neither. */
  function holds(of: Expression, wanted: boolean): string {
    switch (of.kind) {
      case 'and':
      case 'or': {
        const word = (of.kind === 'and') === wanted ? 'AND' : 'OR'
        return `(${holds(of.left, wanted)} ${word} ${holds(of.right, wanted)})`
      }
      case 'not':
        return holds(of.of, !wanted)
      case 'null':
        return `(${kindOf(of.column)} IS ${wanted ? '' : 'NOT '}NULL)`
      case 'in': {
        const any = of.values.map((value) => compared({ kind: 'compare', operator: '=', column: of.column, value }))
        return decided(of.column, `(${any.join(' OR ')})`, wanted)
      }
      case 'compare':
        return of.operator === '<>'
          ? decided(of.column, compared({ ...of, operator: '=' }), !wanted)
          : decided(of.column, compared(of), wanted)
    }
  }

  function decided(column: string, isTrue: string, wanted: boolean): string {
    return wanted ? isTrue : `(${kindOf(column)} IS NOT NULL AND NOT ${isTrue})`
  }

  function compared({ operator, column, value }: Expression & { kind: 'compare' }): string {
    const { text, number, kind } = columnNames(numberOf(column))
    if (operator === 'like') {
      if (typeof value !== 'string') return never(kind)
      // A backslash is a character as others are.
      return `(${kind} IS NOT NULL AND ${text} LIKE ${literalOf(value.replaceAll('\\', '\\\\'))})`
    }
    if (typeof value === 'number') return `(${number} IS NOT NULL AND ${number} ${operator} ${literalOf(value)})`
    const isOfKind = `${kind} IS NOT NULL AND ${kind} = '${kindOfValue(value)}'`
    return `(${isOfKind} AND ${text} ${operator} ${literalOf(String(value))})`
  }

  function kindOf(column: string): string {
    return columnNames(numberOf(column)).kind
  }
}

/** Never true, and never NULL. */
const never = (kind: string) => `(${kind} IS NOT NULL AND ${kind} = '')`

/** What kind of value it is, in one letter. */
export function kindOfValue(value: unknown): string {
  return (typeof value)[0]!
}
