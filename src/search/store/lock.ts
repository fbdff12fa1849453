/** One writer at a time: a file that holds the number of the process that writes. */
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DataError } from '../../errors.ts'

const LOCK = 'writer'

/**
 * Does `work` while nobody else writes to the folder. The lock of a process that was killed is taken over.
 *
 * @throws DataError if another process writes to it.
 */
export async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = join(folder, LOCK)
  for (let tried = 0; ; tried++) {
    const lock = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined
      throw new DataError(`${folder} cannot be written to: ${error.message}. Name an index that you may write to.`, {
        cause: error,
      })
    })
    if (lock) {
      await lock.writeFile(String(process.pid)).finally(() => lock.close())
      break
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (tried > 0 || isAlive(holder)) {
      throw new DataError(`${folder} is being written to by process ${holder || '?'}. Wait until it has ended.`)
    }
    await rm(file, { force: true })
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

function isAlive(process_: number): boolean {
  // A lock without a number was left by a process that was killed while it took it.
  if (!Number.isInteger(process_) || process_ <= 0) return false
  if (process_ === process.pid) return true
  try {
    process.kill(process_, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
