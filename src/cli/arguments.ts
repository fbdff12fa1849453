/** Values on the command line, checked for what they have to be. */
import { InvalidArgumentError, Option } from 'commander'
import type { Kind, SettingValues } from '../settings.ts'

/** A number from `least` to `most`. */
export function number(least: number, most = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a number ${range(least, most)}.`)
    }
    return value
  }
}

/** A number above 0. */
export function positive(text: string): number {
  const value = number(0)(text)
  if (value === 0) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

/** A share of a whole that leaves something over: from 0 to less than 1. */
export function share(text: string): number {
  const value = number(0, 1)(text)
  if (value === 1) throw new InvalidArgumentError('Expected a share below 1, which leaves something over.')
  return value
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number ${range(least, most)}.`)
    }
    return value
  }
}

/** At least one. */
export const count = integer(1)

/** Numbers with commas between them. */
export function numbers(text: string): number[] {
  return text.split(',').map(number(Number.NEGATIVE_INFINITY))
}

/** One regular expression more. */
export function patterns(text: string, before: readonly RegExp[] = []): RegExp[] {
  try {
    return [...before, new RegExp(text)]
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
}

/** A JSON object. */
export function settings(text: string): SettingValues {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}. Expected a JSON object, as '{"margin": 0.2}'.`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as SettingValues
  throw new InvalidArgumentError(`Expected a JSON object, as '{"margin": 0.2}'.`)
}

/** A setting as a flag that the help does not list. */
export function settingOption(name: string, kind: Kind): Option {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const option = new Option(kind === 'boolean' ? flag : `${flag} <VALUE>`).hideHelp()
  if (kind === 'number') return option.argParser(number(Number.NEGATIVE_INFINITY))
  if (kind === 'numbers') return option.argParser(numbers)
  return kind === 'boolean' ? option : option.choices([...kind])
}

function range(least: number, most: number): string {
  return most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`
}
