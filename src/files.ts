/** Files that are written whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { DataError } from './errors.ts'

/** @throws DataError if it cannot be written; what was there before is there still. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const partial = `${file}.partial-${process.pid}`
  try {
    await writeFile(partial, content)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw new DataError(`Cannot write ${file}: ${(error as Error).message}. Name a file that you may write.`, {
      cause: error,
    })
  }
}
