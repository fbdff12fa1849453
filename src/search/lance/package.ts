/** LanceDB and Apache Arrow, loaded when an index is first kept in them: the only file that knows how. */
import { createRequire } from 'node:module'
import type * as Lance from '@lancedb/lancedb'
import type * as Arrow from 'apache-arrow'
import { DataError } from '../../errors.ts'

export type { Lance }
export type Batch = Arrow.RecordBatch

export interface Packages {
  readonly lance: typeof Lance
  readonly arrow: typeof Arrow
}

let loaded: Packages | undefined
const require = createRequire(import.meta.url)

/**
 * @param load how a package is loaded.
 * @throws DataError if they are not installed, or not for this machine.
 */
export function loadPackages(load: (name: string) => unknown = require): Packages {
  if (loaded && load === require) return loaded
  // What it tells on standard error is nothing that somebody can act on.
  process.env.LANCEDB_LOG ??= 'error'
  try {
    // Both as LanceDB itself loads them: two copies of Arrow do not know each other's tables.
    const lance = load('@lancedb/lancedb') as typeof Lance
    loaded = { lance, arrow: load('apache-arrow') as typeof Arrow }
    return loaded
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [line] = message.split('\n')
    const what = code === 'MODULE_NOT_FOUND' ? 'which are not installed' : `which cannot be loaded (${line})`
    throw new DataError(
      `An index in LanceDB needs the packages @lancedb/lancedb and apache-arrow, ${what}. Install them: npm install ` +
        '@lancedb/lancedb@0.30 apache-arrow@18 (with npx: npx -p isometry -p @lancedb/lancedb@0.30 -p apache-arrow@18 isometry …).',
      { cause: error },
    )
  }
}

/** Whether an index is named by an address, of object storage or a server, and not by a folder. */
export const isAddress = (path: string): boolean => /^[a-z][a-z0-9+]+:\/\//i.test(path)

/** @throws DataError if there is no connection. */
export async function connect(path: string): Promise<Lance.Connection> {
  const { lance } = loadPackages()
  const { LANCEDB_API_KEY: apiKey, LANCEDB_REGION: region, LANCEDB_HOST: hostOverride } = process.env
  const server = path.startsWith('db://') && { apiKey, region, hostOverride }
  return told(path, () => lance.connect(path, { ...server }))
}

/** LanceDB's own errors in their first line. */
export async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && error.constructor !== Error) throw error
    const [line] = (error as Error).message.split('\n')
    // Where in its own code that was, and what it calls its kinds of errors, helps nobody.
    const said = line!.replace(/, \/.*$/, '').replace(/^lance error: (LanceError\(\w+\): )?/, '')
    throw new DataError(
      `The index ${path} cannot be used. LanceDB says: ${said}. Look at its address and credentials, or make it again.`,
      { cause: error },
    )
  }
}
