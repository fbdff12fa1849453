/** Where a command computes, and what `--debug` says of it. */
import type { Device, FallbackNode } from '../runtime/session.ts'

export interface DeviceArguments {
  readonly device: Device | 'auto'
  readonly debug?: boolean
}

/** How many nodes of one operator are named. */
const NAMED = 3

/** The device, and with `--debug` a list of what it leaves to the CPU, on standard error. */
export function computeOptions({ device, debug }: DeviceArguments) {
  return { device, ...(debug && { onFallback: showFallback }) }
}

function showFallback(nodes: readonly FallbackNode[]): void {
  if (nodes.length === 0) return
  const byOperator = new Map<string, string[]>()
  for (const { operator, name } of nodes) byOperator.set(operator, [...(byOperator.get(operator) ?? []), name])
  const lines = [...byOperator].map(([operator, names]) => {
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : ''
    return `  ${operator} × ${names.length}: ${names.slice(0, NAMED).join(', ')}${more}\n`
  })
  process.stderr.write(`computed on the CPU instead: ${nodes.length} nodes\n${lines.join('')}`)
}
