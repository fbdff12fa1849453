/** Files that are written whole or not at all: a process or a machine that fails leaves the old one or the new one. */
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DataError } from './errors.ts'

export interface WriteOptions {
  /** Where the file that is replaced is kept; nowhere if left out. */
  readonly before?: string
  /**
   * Where it is written first; beside it, by the number of this process, if left out: two that write at once do not meet. One
   * name for all is for a folder that one process owns, where what was killed is written over.
   */
  readonly partial?: string
}

/**
 * The content is on disk before the name says so.
 *
 * @throws the system's error if it cannot be written; what was there before is there still.
 */
export async function writeWhole(
  file: string,
  content: string | Uint8Array,
  { before, partial = `${file}.partial-${process.pid}` }: WriteOptions = {},
): Promise<void> {
  try {
    await writeFile(partial, content, { flush: true })
    if (before !== undefined) await rename(file, before).catch(ifMissing)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(dirname(file))
}

/** Of a file that somebody named. @throws DataError in place of the system's error. */
export function cannotWrite(file: string): (error: Error) => never {
  return (error) => {
    throw new DataError(`Cannot write ${file}: ${error.message}. Name a file that you may write.`, { cause: error })
  }
}

/** Names are on disk once their folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  return undefined
}
