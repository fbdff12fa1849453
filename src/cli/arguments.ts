/** Numbers on the command line, checked for what they have to be. */
import { InvalidArgumentError } from 'commander'

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

function range(least: number, most: number): string {
  return most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`
}
