/** Files that are on disk before their name says so: a process or a machine that fails leaves the old one or the new one. */
import { open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** @param before where the file that is replaced is kept; nowhere if left out. */
export async function writeDurably(path: string, content: string | Uint8Array, before?: string): Promise<void> {
  const partial = `${path}.partial`
  await writeFile(partial, content, { flush: true })
  if (before !== undefined) await rename(path, before).catch(ifMissing)
  await rename(partial, path)
  await syncFolder(dirname(path))
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
