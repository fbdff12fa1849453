/** What the command-line tests share: images, a model trained on them by the real command, and what an error looks like. */
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Outcome } from './command.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'

export const classes = ['a', 'b', 'c', 'd', 'e', 'Greek/alpha', 'Greek/beta', 'h']
/** Settings with which training takes a moment. */
export const quick = ['--image-size', '12', '--grayscale', '--steps', '12', '--dimension', '8', '--threads', '1']

export async function fixture() {
  const folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  const [data, model] = [at('data'), at('model')]
  await writeImages(data, classes, 6)
  const trained = await isometry(['train', data, '--out', model, ...quick, '--json'])
  return { at, data, model, trained, dispose: folder.dispose }
}

/** Expects one line on standard error that matches, nothing on standard output, and the exit code. */
export function expectError({ code, stdout, stderr }: Outcome, expectedCode: number, message: RegExp) {
  const lines = stderr.split('\n').filter((line) => line !== '' && !/^(warning|training|step)/.test(line))
  expect(lines, stderr).toHaveLength(1)
  expect(lines[0]).toMatch(message)
  expect(lines[0]).toMatch(/^isometry: /)
  expect(stdout).toBe('')
  expect(code).toBe(expectedCode)
}
