/** LanceDB and the Arrow library that it takes data by: loaded when they are first needed. */
import { createRequire } from 'node:module'
import type * as Lance from '@lancedb/lancedb'
import type * as Arrow from 'apache-arrow'
import { DataError } from '../../errors.ts'

export interface Packages {
  readonly lance: typeof Lance
  readonly arrow: typeof Arrow
}

/**
 * @param load how the package is loaded.
 * @throws DataError if one of the packages is not installed.
 */
export async function loadLance(load = () => import('@lancedb/lancedb')): Promise<Packages> {
  // It tells the terminal what is of no use to anybody there; the variable is its own.
  process.env.LANCEDB_LOG ??= 'error'
  try {
    const lance = await load()
    // The very copy that LanceDB has: it knows no other's tables.
    return { lance, arrow: createRequire(import.meta.url)('apache-arrow') as typeof Arrow }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') {
      throw new DataError(`LanceDB cannot be loaded: ${message.split('\n')[0]}.`, { cause: error })
    }
    throw new DataError(
      'Indexes in LanceDB need the packages @lancedb/lancedb and apache-arrow, which are not installed. Install them: npm install ' +
        '@lancedb/lancedb@0.31 apache-arrow@18 (with npx: npx -p isometry -p @lancedb/lancedb@0.31 -p apache-arrow@18 isometry …).',
      { cause: error },
    )
  }
}

/** LanceDB's own errors in their first sentence. */
export async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Error') throw error
    const [line] = error.message.split(/\n|, \/|\s+Caused by/)
    throw new DataError(`LanceDB: ${line}`, { cause: error })
  }
}
