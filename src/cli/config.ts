/** Settings of `isometry train` as a file: each flag by its name in camelCase, and DATA as `data`. */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, resolve } from 'node:path'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import { parse } from 'yaml'
import { DataError, UsageError } from '../errors.ts'
import type { Parser } from './arguments.ts'

/** What belongs to one call of the command, not to the training. */
const OF_THE_CALL = new Set(['version', 'debug', 'json', 'resume', 'config', 'force', 'report'])
/** Paths, which are relative to the file that names them. */
const PATHS = new Set(['data', 'out', 'validation', 'tensorboard', 'queryFolder'])

export const SCHEMA = 'https://json-schema.org/draft/2020-12/schema'

/** The flags that can be settings in a file, by name. */
export function configurable(command: Command): Map<string, Option> {
  const options = command.options.map((option) => [option.attributeName(), option] as const)
  return new Map(options.filter(([name]) => !OF_THE_CALL.has(name)))
}

/**
 * Takes the settings of a file for those that the command line leaves open.
 *
 * @returns DATA, if the file names it.
 * @throws DataError if it cannot be read; UsageError if it has a setting that does not exist, or of another kind.
 */
export async function applyConfig(command: Command, file: string): Promise<string | undefined> {
  const options = configurable(command)
  const { $schema: _, data, ...values } = withFolder(await readConfig(file), command)
  const listed = [...options].flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
  for (const [name, value] of Object.entries(values)) {
    const option = options.get(name)
    if (!option) {
      throw new UsageError(
        `${file} has a setting ${name}, which does not exist. There are data, ${listed.join(', ')} and the settings of losses.`,
      )
    }
    if (command.getOptionValueSource(name) === 'cli' || value === null || value === false) continue
    const isPath = PATHS.has(name) || (name === 'encoder' && /\.onnx$/i.test(String(value)))
    const read = readValue(option, isPath ? besides(file, value) : value, `${file}: ${name}`)
    command.setOptionValueWithSource(name, read, 'config')
  }
  if (data === undefined || data === null) return undefined
  if (typeof data === 'string') return besides(file, data) as string
  throw new UsageError(`${file}: data is ${JSON.stringify(data)}; expected a path.`)
}

/** The paths in a query are relative to the file that holds it, as all are. */
function withFolder(settings: Record<string, unknown>, command: Command): Record<string, unknown> {
  const { queryFolder = '.', ...others } = settings
  const isOwn = typeof others.query === 'string' && command.getOptionValueSource('query') !== 'cli'
  return isOwn ? { ...settings, queryFolder } : others
}

async function readConfig(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const problem = error.code === 'ENOENT' ? 'is not there' : `cannot be read (${error.message})`
    throw new DataError(`The settings ${file} ${problem}. Name a JSON or YAML file.`, { cause: error })
  })
  let found: unknown
  try {
    // JSON is YAML, too.
    found = parse(text)
  } catch (error) {
    throw new DataError(`${file} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`, {
      cause: error,
    })
  }
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>
  throw new DataError(`${file} holds ${JSON.stringify(found)?.slice(0, 60)}; expected settings by name.`)
}

/** Through the very parser of the flag. */
function readValue(option: Option, value: unknown, what: string): unknown {
  const { parseArg } = option
  const { schema } = (parseArg ?? {}) as Partial<Parser<unknown>>
  try {
    if (option.isBoolean()) {
      if (value === true) return true
      throw new InvalidArgumentError('Expected true or false.')
    }
    if (schema?.type === 'array') {
      if (!Array.isArray(value)) throw new InvalidArgumentError('Expected a list.')
      // Patterns may hold commas: they come one by one.
      const isPatterns = 'format' in (schema.items as object)
      const parts = isPatterns ? value.map(String) : [value.join(',')]
      return parts.reduce((before: unknown, text) => parseArg!(text, before as never), undefined)
    }
    if (schema?.type === 'object') return parseArg!(JSON.stringify(value), undefined as never)
    if (typeof value === 'object' || typeof value === 'boolean') throw new InvalidArgumentError('Expected one value.')
    return parseArg ? parseArg(String(value), undefined as never) : String(value)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new UsageError(`${what} is ${JSON.stringify(value)}. ${error.message}`)
  }
}

function besides(file: string, value: unknown): unknown {
  return typeof value === 'string' && !isAbsolute(value) ? resolve(dirname(file), value) : value
}

/** Settings as a file has them, with paths that hold from anywhere. */
export function toConfig(
  data: string | undefined,
  command: Command,
  resolved: Readonly<Record<string, unknown>>,
): string {
  const config: Record<string, unknown> = data === undefined ? { queryFolder: resolve('.') } : { data: resolve(data) }
  for (const name of configurable(command).keys()) {
    const value = name in resolved ? resolved[name] : command.getOptionValue(name)
    if (value === undefined) continue
    const isPath = PATHS.has(name) || (name === 'encoder' && /\.onnx$/i.test(String(value)))
    if (isPath) config[name] = resolve(value as string)
    else
      config[name] = Array.isArray(value) ? value.map((each) => (each instanceof RegExp ? each.source : each)) : value
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

/** The JSON Schema of such files, by which editors complete and check them. */
export function schemaOf(command: Command): Record<string, unknown> {
  const properties = [...configurable(command)].map(([name, option]) => {
    const { schema } = (option.parseArg ?? {}) as Partial<Parser<unknown>>
    const kind = option.isBoolean()
      ? { type: 'boolean' }
      : (schema ?? (option.argChoices ? { enum: option.argChoices } : { type: 'string' }))
    const { defaultValue } = option
    return [
      name,
      { ...kind, description: option.description, ...(defaultValue !== undefined && { default: defaultValue }) },
    ] as const
  })
  return {
    $schema: SCHEMA,
    title: 'Settings of isometry train',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      data: { type: 'string', description: 'what to train on; paths are relative to this file' },
      ...Object.fromEntries(properties),
    },
  }
}
