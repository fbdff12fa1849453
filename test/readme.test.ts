/** The snippets of the documentation type-check and run as they stand there. */
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeImages } from './images.ts'

const root = join(import.meta.dirname, '..')
let folder: string

// Inside the checkout, where the name `isometry` resolves to this package.
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '.snippets-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', command), ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(status, stdout + stderr).toBe(0)
  return stdout
}

async function snippet(name: string): Promise<string> {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const found = new RegExp(`<!-- snippet: ${name} -->\n\`\`\`ts\n([\\s\\S]*?)\`\`\``).exec(text)
  if (!found) throw new Error(`README.md has no snippet ${name}`)
  const file = join(folder, `${name}.ts`)
  await writeFile(file, found[1]!)
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { noEmit: true } }),
  )
  run('typescript/bin/tsc', '-p', folder)
  return run('tsx/dist/cli.mjs', file)
}

test('the path from a folder of images to search results', async () => {
  const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`)
  await writeImages(join(folder, 'letters'), classes, 5)
  await mkdir(join(folder, 'letters'), { recursive: true })
  await copyFile(join(folder, 'letters', 'class 0', '0.png'), join(folder, 'query.png'))
  const printed = await snippet('letters')
  expect(printed).toMatch(/precisionAt1: [01]/)
  expect(printed).toMatch(/item: 'letters\/class 0\/0.png'/)
})

test('the value and the gradient of a loss', async () => {
  expect(await snippet('gradient')).toMatch(/value: 0\.\d+[\s\S]*gradient: \[/)
})

test('the first snippet is as short as it is said to be', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const lines = /snippet: letters -->\n```ts\n([\s\S]*?)```/
    .exec(text)![1]!
    .split('\n')
    .filter((line) => line.trim())
  expect(lines.length).toBeLessThanOrEqual(15)
})
