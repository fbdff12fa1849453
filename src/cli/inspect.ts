/** `isometry inspect` */
import { readFile } from 'node:fs/promises'
import { type Inspection, inspect as inspectBytes, type Port } from '../encoders/inspect.ts'
import { DataError } from '../errors.ts'

export async function inspect(file: string, { json, values }: { json?: boolean; values?: boolean }): Promise<void> {
  const found = inspectBytes(await read(file))
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : text(file, found, values))
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new DataError(`${file} cannot be read: ${(error as Error).message}. Name an ONNX file.`, { cause: error })
  }
}

function text(file: string, found: Inspection, withValues = false): string {
  const { producer, operatorSet, inputs, outputs, parameters, parameterCount, operators } = found
  const name = Math.max(8, ...operators.map(({ operator }) => operator.length))
  const unknown = operators.filter(({ gradient }) => gradient === 'unknown')
  const lines = [
    `${file}: operator set ${operatorSet}${producer && `, written by ${producer}`}`,
    '',
    ...inputs.map((each) => `input      ${port(each)}`),
    ...outputs.map((each) => `output     ${port(each)}`),
    `parameters ${parameterCount.toLocaleString('en')} in ${parameters.length} tensors`,
    '',
    `${'operator'.padEnd(name)}  nodes  gradient`,
    ...operators.map(({ operator, nodes, gradient }) => {
      const said = { yes: 'yes', none: 'needs none', unknown: 'not known' }[gradient]
      return `${operator.padEnd(name)}  ${String(nodes).padStart(5)}  ${said}`
    }),
    '',
    unknown.length === 0
      ? 'Gradients flow through all of it.'
      : `No gradient is known of ${unknown.map(({ operator, node }) => `${operator} (first at ${node})`).join(', ')}.`,
    ...(withValues ? ['', 'values', ...found.values.map((each) => `${each.operator.padEnd(name)}  ${each.name}`)] : []),
  ]
  return `${lines.join('\n')}\n`
}

function port({ name, type, shape }: Port): string {
  return `${name}  ${type} [${shape.join(', ')}]`
}
