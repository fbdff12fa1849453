/** Settings by name, as files and command lines have them, checked against what there is. */
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
