/** Where the reference values lie, and how a reference test reports what it held against them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

export const referenceFolder = process.env.ISOMETRY_REFERENCE || join(import.meta.dirname, 'reference')

export function readReferenceFile(name: string): Uint8Array {
  const file = join(referenceFolder, name)
  if (!existsSync(file)) {
    throw new Error(`There is no ${name} in ${referenceFolder}. ISOMETRY_REFERENCE names the folder.`)
  }
  return new Uint8Array(readFileSync(file))
}

export function readReference<T>(name: string): T {
  return JSON.parse(new TextDecoder().decode(readReferenceFile(name))) as T
}

/** Prints how many cases of each kind were checked; none is a failure. */
export function report(what: string, checked: Readonly<Record<string, number>>) {
  const total = Object.values(checked).reduce((sum, count) => sum + count, 0)
  const list = Object.entries(checked).map(([name, count]) => `${name} ${count}`)
  process.stdout.write(`reference: ${what}: ${total} cases checked (${list.join(', ')})\n`)
  expect(total, `${what}: no reference case was found`).toBeGreaterThan(0)
}
