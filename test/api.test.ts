/** The public names, as a file, so that a change to them is seen in review. `npx vitest run test/api -u` renews it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the package exports what test/api.txt says', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'programs', 'api.mjs')])
  await expect(stdout).toMatchFileSnapshot(join(import.meta.dirname, 'api.txt'))
})
