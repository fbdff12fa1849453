/** `isometry inspect` */
import { readFile } from 'node:fs/promises'
import { type Inspection, inspect as inspectBytes, type Port } from '../encoders/inspect.ts'
import { DataError, IsometryError, UsageError } from '../errors.ts'
import { readEncoder } from '../model/read-encoder.ts'
import { inFlags } from './encoder.ts'
import { prose } from './paragraph.ts'

/** How many parameters are listed. */
const SHOWN = 12

export async function inspect(file: string, { json, values }: { json?: boolean; values?: boolean }): Promise<void> {
  const looked = inspectBytes(await read(file))
  const found = { ...looked, ...(looked.refusal === undefined && (await trial(file))) }
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : text(file, found, values))
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new DataError(`${file} cannot be read: ${(error as Error).message}. Name an ONNX file.`, { cause: error })
  }
}

interface Found extends Inspection {
  /** What training has to be told, as the size of images, in the words of its error. */
  readonly asks?: string
}

/** What building it for training finds besides: shapes that do not fit, data that are not there, and what is left open. */
async function trial(file: string): Promise<Pick<Found, 'refusal' | 'asks'>> {
  try {
    await readEncoder(file)
    return {}
  } catch (error) {
    if (error instanceof UsageError) return { asks: inFlags(error).message }
    if (error instanceof IsometryError) return { refusal: error.message }
    throw error
  }
}

function text(file: string, found: Found, withValues = false): string {
  const { producer, operatorSet, inputs, outputs } = found
  const ports = Math.max(...[...inputs, ...outputs].map(({ name }) => name.length))
  const lines = [
    `${file}: operator set ${operatorSet}${producer && `, written by ${producer}`}`,
    '',
    ...inputs.map((each) => `input       ${port(each, ports)}`),
    ...outputs.map((each) => `output      ${port(each, ports)}`),
    '',
    ...parametersOf(found),
    '',
    ...operatorsOf(found, withValues),
    '',
  ]
  // Names out of damaged files may hold line ends and escape sequences, which are no business of a terminal.
  const clean = lines.map((line) => line.replace(/\p{Cc}/gu, ' '))
  return `${[...clean, prose(verdict(found), process.stdout)].join('\n')}\n`
}

function verdict({ refusal, asks }: Found): string {
  if (refusal !== undefined) return `Training refuses it. ${refusal}`
  if (asks !== undefined) return `Training asks for more. ${asks}`
  return 'Gradients flow through all that training needs.'
}

function port({ name, type = 'type not stated', shape }: Port, width: number): string {
  return `${name.padEnd(width)}  ${type}${shape ? ` [${shape.join(', ')}]` : ', shape not stated'}`
}

function parametersOf({ parameters, parameterCount }: Inspection): string[] {
  const shown = parameters.slice(0, SHOWN)
  const name = Math.max(...shown.map((each) => each.name.length))
  const more = parameters.length - shown.length
  const tensors = `${parameters.length} ${parameters.length === 1 ? 'tensor' : 'tensors'}`
  return [
    `parameters  ${parameterCount.toLocaleString('en')} in ${tensors}`,
    ...shown.map((each) => `            ${each.name.padEnd(name)}  [${each.shape.join(', ')}]`),
    ...(more > 0 ? [`            and ${more} more; --json lists all`] : []),
  ]
}

function operatorsOf({ operators, values }: Inspection, withValues: boolean): string[] {
  const name = Math.max(8, ...operators.map(({ operator }) => operator.length))
  return [
    `${'operator'.padEnd(name)}  nodes  gradient`,
    ...operators.map(({ operator, nodes, gradient, node }) => {
      const said = { yes: 'yes', none: 'needs none', unknown: `not known, first at ${node}` }[gradient]
      return `${operator.padEnd(name)}  ${String(nodes).padStart(5)}  ${said}`
    }),
    ...(withValues ? ['', 'values', ...values.map((each) => `${each.operator.padEnd(name)}  ${each.name}`)] : []),
  ]
}
