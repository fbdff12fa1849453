/** A condition as LanceDB's SQL. */
import type { Expression } from '../condition.ts'
import type { MetadataColumn } from '../store/backend.ts'
import type { Scalar } from '../store/entry.ts'
import { columnAt } from './rows.ts'

export function toSql(expression: Expression, columns: readonly MetadataColumn[]): string {
  const at = (name: string) => columns.findIndex((each) => each.name === name)
  const sqlOf = (name: string) => (at(name) < 0 ? name : columnAt(at(name)))
  const typeOf = (name: string) => columns[at(name)]?.type ?? 'text'

  function comparison(column: string, operator: string, value: Scalar): string {
    const [name, type] = [sqlOf(column), typeOf(column)]
    if (operator === 'like')
      return typeof value === 'string' ? `CAST(${name} AS string) LIKE ${literal(value)}` : `${name} <> ${name}`
    if (type === 'text' && typeof value === 'number') return `TRY_CAST(${name} AS double) ${operator} ${value}`
    const fits = type === 'text' ? typeof value === 'string' : typeof value === type
    // As of values of different kinds: neither equal, nor in any order.
    if (!fits) return operator === '<>' ? `${name} = ${name}` : `${name} <> ${name}`
    return `${name} ${operator} ${literal(value)}`
  }

  function write(part: Expression): string {
    switch (part.kind) {
      case 'and':
      case 'or':
        return `(${write(part.left)}) ${part.kind.toUpperCase()} (${write(part.right)})`
      case 'not':
        return `NOT (${write(part.of)})`
      case 'null':
        return `${sqlOf(part.column)} IS NULL`
      case 'in':
        return part.values.map((value) => `(${comparison(part.column, '=', value)})`).join(' OR ')
      case 'compare':
        return comparison(part.column, part.operator, part.value)
    }
  }
  return write(expression)
}

export function literal(value: Scalar): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
