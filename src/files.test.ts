import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../test/images.ts'
import { DataError } from './errors.ts'
import { cannotWrite, writeWhole } from './files.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.dispose())

test('a file is replaced as a whole, and the one before it is kept where that is asked for', async () => {
  await mkdir(at('whole'))
  const options = { before: at('whole', 'before'), partial: at('whole', 'file.partial') }
  // What was killed while it wrote left this.
  await writeFile(options.partial, 'half of something longer')
  for (const text of ['one', 'two', 'three']) await writeWhole(at('whole', 'file'), text, options)
  expect((await readdir(at('whole'))).sort()).toEqual(['before', 'file'])
  expect(await readFile(at('whole', 'file'), 'utf8')).toBe('three')
  expect(await readFile(at('whole', 'before'), 'utf8')).toBe('two')
})

test('what cannot be written leaves what was there, and nothing beside it', async () => {
  await mkdir(at('kept'))
  await writeWhole(at('kept', 'file'), 'old')
  // Writes to it fail as on a full disk.
  await symlink('/dev/full', at('kept', `file.partial-${process.pid}`))
  await expect(writeWhole(at('kept', 'file'), 'new')).rejects.toThrow(/ENOSPC/)
  expect(await readdir(at('kept'))).toEqual(['file'])
  expect(await readFile(at('kept', 'file'), 'utf8')).toBe('old')
  const nowhere = at('no', 'such', 'file')
  const named = writeWhole(nowhere, 'new').catch(cannotWrite(nowhere))
  await expect(named).rejects.toThrow(DataError)
  await expect(named).rejects.toThrow(/^Cannot write .*no\/such\/file: ENOENT.*\. Name a file that you may write\.$/)
})
