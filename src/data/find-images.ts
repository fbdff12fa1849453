/** Finds the image files below a folder and the class that each is in. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { DataError } from '../errors.ts'
import { imageExtensions, isImageFile } from '../inputs/image.ts'
import { throwIfAborted } from './interrupt.ts'

/** `name` is the path below the folder that was searched, with forward slashes; `class` the folder of it, '' for none. */
export interface FoundImage {
  readonly path: string
  readonly name: string
  readonly class: string
}

export interface FindImagesOptions {
  readonly warn?: (message: string) => void
  readonly signal?: AbortSignal
}

/**
 * The images below `folder`, sorted by the path below it, by code units.
 *
 * Hidden files and folders are left out. Links are followed, except those that lead back up the way that led to them.
 * What is below the folder but cannot be read is warned about and left out.
 *
 * @throws DataError if the folder cannot be read or holds no image
 * @throws InterruptedError once `signal` is aborted
 */
export async function findImages(folder: string, options: FindImagesOptions): Promise<FoundImage[]> {
  const { warn = console.warn, signal } = options
  if (folder === '') throw new DataError('The path of a folder of images is empty: expected a folder of images')
  const images: FoundImage[] = []
  const others: string[] = []
  const leaveOut = (path: string) => (error: Error) => {
    warn(`${path} cannot be read (${error.message}): left out`)
    return undefined
  }

  async function visit(below: string, above: readonly string[]): Promise<void> {
    throwIfAborted(signal)
    const here = join(folder, below)
    const listed = await list(here).catch(below === '' ? refuse(folder) : leaveOut(here))
    if (!listed || above.some((outer) => contains(listed.real, outer))) return
    for (const entry of listed.entries) {
      if (entry.name.startsWith('.')) continue
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      const path = join(folder, name)
      const target = entry.isSymbolicLink() ? await stat(path).catch(leaveOut(path)) : entry
      if (target?.isDirectory()) await visit(name, [...above, listed.real])
      else if (target?.isFile() && isImageFile(name)) images.push({ path, name, class: below })
      else if (target) others.push(name)
    }
  }

  await visit('', [])
  if (images.length === 0) {
    const found = others.length === 0 ? 'no files' : `other files only (${others.length}, such as ${others.sort()[0]})`
    throw new DataError(
      `${folder} holds no images: found ${found}, not looking at hidden ones; ` +
        `expected files ending in ${imageExtensions.join(', ')}, in one folder per class`,
    )
  }
  return images.sort((a, b) => byCodeUnits(a.name, b.name))
}

const list = async (folder: string) => ({
  real: await realpath(folder),
  entries: await readdir(folder, { withFileTypes: true }),
})

/** Turns what the file system says of the folder that was named into what its reader can act on. */
function refuse(folder: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const known: Record<string, string> = { ENOENT: 'does not exist', ENOTDIR: 'is not a folder' }
    const problem = known[error.code ?? ''] ?? `cannot be read (${error.message})`
    throw new DataError(`${folder} ${problem}: expected a folder of images`, {
      cause: error,
    })
  }
}

/** Whether the real path `inner` is the real path `outer` or below it. */
const contains = (outer: string, inner: string) =>
  `${inner}${sep}`.startsWith(outer.endsWith(sep) ? outer : outer + sep)

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
