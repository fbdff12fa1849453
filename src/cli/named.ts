/** What a command is given: by its names, or by a query over tables in their place. */
import type { Query } from '../data/index.ts'
import { UsageError } from '../errors.ts'

/**
 * @param what the two ways, as DATA and --query.
 * @throws UsageError unless it is one of both.
 */
export function namedOf<Names extends string | readonly string[]>(
  names: Names | undefined,
  query: string | undefined,
  what: readonly [string, string] = ['DATA', '--query'],
): Names | Query {
  const found = orNone(names, query, what)
  if (found !== undefined) return found
  throw new UsageError(`Name either ${what.join(' or ')}, found none of them.`)
}

/** The same of what may be left out. */
export function orNone<Names extends string | readonly string[]>(
  names: Names | undefined,
  query: string | undefined,
  what: readonly [string, string],
): Names | Query | undefined {
  const isNamed = names !== undefined && names.length > 0
  if (isNamed && query !== undefined) throw new UsageError(`Name either ${what.join(' or ')}, found both of them.`)
  if (query !== undefined) return { query }
  return isNamed ? names : undefined
}

/** What a gallery is given by. */
export const GALLERY = ['--gallery', '--gallery-query'] as const
