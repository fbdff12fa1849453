/** Values as SQL has them. */

export function literalOf(value: string | number): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return `CAST('${value}' AS DOUBLE)`
}

/** Rows by their numbers, as a condition. */
export function idsIn(ids: readonly number[]): string {
  return `id IN (${ids.join(', ')})`
}
