/** Values on the command line, checked for what they have to be. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Kind, SettingValues } from '../settings.ts'

/** How a value is read, and what it has to be in a file of settings, as JSON Schema has it. */
export type Parser<T> = ((text: string, before?: T) => T) & { readonly schema: Readonly<Record<string, unknown>> }

function parser<T>(schema: Parser<T>['schema'], parse: (text: string, before?: T) => T): Parser<T> {
  return Object.assign(parse, { schema })
}

/** A number from `least` to `most`. */
export function number(least: number, most = Number.POSITIVE_INFINITY): Parser<number> {
  return parser({ type: 'number', ...limits(least, most) }, (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a number ${range(least, most)}.`)
    }
    return value
  })
}

/** A number above 0. */
export const positive = parser({ type: 'number', exclusiveMinimum: 0 }, (text) => {
  const value = number(0)(text)
  if (value === 0) throw new InvalidArgumentError('Expected a number above 0.')
  return value
})

/** A share of a whole that leaves something over: from 0 to less than 1. */
export const share = parser({ type: 'number', minimum: 0, exclusiveMaximum: 1 }, (text) => {
  const value = number(0, 1)(text)
  if (value === 1) throw new InvalidArgumentError('Expected a share below 1, which leaves something over.')
  return value
})

/** A whole number from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Parser<number> {
  return parser({ type: 'integer', ...limits(least, most) }, (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number ${range(least, most)}.`)
    }
    return value
  })
}

/** At least one. */
export const count = integer(1)

/** Numbers with commas between them. */
export const numbers = parser({ type: 'array', items: { type: 'number' } }, (text): number[] =>
  text.split(',').map((each) => number(Number.NEGATIVE_INFINITY)(each)),
)

/** Names with commas between them. */
export const names = parser({ type: 'array', items: { type: 'string' } }, (text): string[] =>
  text.split(',').map((each) => each.trim()),
)

/** One regular expression more. */
export const patterns = parser(
  { type: 'array', items: { type: 'string', format: 'regex' } },
  (text, before: RegExp[] = []) => {
    try {
      return [...before, new RegExp(text)]
    } catch (error) {
      throw new InvalidArgumentError(`${(error as Error).message}.`)
    }
  },
)

/** A JSON object. */
export const settings = parser({ type: 'object' }, (text): SettingValues => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}. Expected a JSON object, as '{"margin": 0.2}'.`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as SettingValues
  throw new InvalidArgumentError(`Expected a JSON object, as '{"margin": 0.2}'.`)
})

/** The settings of losses are flags, too, which the help leaves to `isometry losses`. */
export function addLossSettings(command: Command, settings: ReadonlyMap<string, Kind>): void {
  for (const [name, kind] of settings) command.addOption(settingOption(name, kind))
}

function settingOption(name: string, kind: Kind): Option {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const option = new Option(kind === 'boolean' ? flag : `${flag} <VALUE>`).hideHelp()
  if (kind === 'number') return option.argParser(number(Number.NEGATIVE_INFINITY))
  if (kind === 'numbers') return option.argParser(numbers)
  return kind === 'boolean' ? option : option.choices([...kind])
}

function range(least: number, most: number): string {
  return most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`
}

function limits(least: number, most: number) {
  return {
    ...(Number.isFinite(least) && { minimum: least }),
    ...(most < Number.MAX_SAFE_INTEGER && { maximum: most }),
  }
}
