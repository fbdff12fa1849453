/** Variables of losses that are made of others: each part's have its number before their names. */
import type { Variables } from '../encoders/encoder.ts'
import type { Loss, LossSize, Values } from './loss.ts'

const prefix = (part: number) => `${part} `

/** The variables of all parts. */
export function merged(parts: readonly Loss[], size: LossSize | ((part: number) => LossSize)): Variables {
  return Object.fromEntries(
    parts.flatMap((loss, part) => {
      const own = loss.variables?.(typeof size === 'function' ? size(part) : size) ?? {}
      return Object.entries(own).map(([name, variable]) => [prefix(part) + name, variable])
    }),
  )
}

/** Those of one part, by its own names. */
export function variablesOf(variables: Values, part: number): Values {
  const own = Object.entries(variables).filter(([name]) => name.startsWith(prefix(part)))
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix(part).length), value]))
}

/** New values of one part's variables, by the names of the whole. */
export function forwarded(state: Values | undefined, part: number): Values {
  return Object.fromEntries(Object.entries(state ?? {}).map(([name, value]) => [prefix(part) + name, value]))
}
