/** Settings by name, as files and command lines have them: whether they exist, and are of the kind and range that they should be. */
import { UsageError } from './errors.ts'

/** A number, true or false, a list of numbers, or one of several words. */
export type Kind = 'number' | 'boolean' | 'numbers' | readonly string[]

export type SettingValues = Readonly<Record<string, unknown>>

/** @throws UsageError if there is no such setting of `owner`, or a value is not of its kind. */
export function checkSettings(owner: string, kinds: Readonly<Record<string, Kind>>, values: SettingValues): void {
  const names = Object.keys(kinds)
  for (const [name, value] of Object.entries(values)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name]! : undefined
    if (kind === undefined) {
      const known = names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`
      throw new UsageError(`${owner} has no setting ${name}. ${known}`)
    }
    if (fits(value, kind)) continue
    throw new UsageError(`${owner}: ${name} is ${JSON.stringify(value)}; expected ${describe(kind)}.`)
  }
}

/** @throws UsageError if a setting is not a number above 0. */
export function checkPositive(settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value > 0 && Number.isFinite(value)) continue
    throw new UsageError(`${name} is ${value}; expected a number above 0.`)
  }
}

/** @throws UsageError if a setting is not a number of at least 0. */
export function checkNotNegative(settings: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value >= 0 && Number.isFinite(value)) continue
    throw new UsageError(`${name} is ${value}; expected a number of at least 0.`)
  }
}

/** @throws UsageError if a setting is not a whole number of at least `least`. */
export function checkCount(settings: Readonly<Record<string, number>>, least = 1): void {
  for (const [name, value] of Object.entries(settings)) {
    if (Number.isInteger(value) && value >= least) continue
    throw new UsageError(`${name} is ${value}; expected a whole number of at least ${least}.`)
  }
}

function fits(value: unknown, kind: Kind): boolean {
  if (kind === 'number' || kind === 'boolean') return typeof value === kind
  if (kind === 'numbers') return Array.isArray(value) && value.every((each) => typeof each === 'number')
  return kind.includes(value as string)
}

function describe(kind: Kind): string {
  if (kind === 'number') return 'a number'
  if (kind === 'boolean') return 'true or false'
  return kind === 'numbers' ? 'a list of numbers' : `one of ${kind.join(', ')}`
}
