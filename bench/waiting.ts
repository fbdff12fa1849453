/** The share of their time that the steps of the demo's two trainings wait for data. After npm run build. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { notions } from '../demo/src/models.ts'
import { renderImages } from '../demo/src/render.ts'

const executable = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'isometry-waiting-'))
const images = join(folder, 'images')
await renderImages(images)

const cases = [
  ['as in the demo', ['--grayscale']],
  ['… with augmentation', ['--grayscale', '--augment']],
  ['… in colour, most of it decoded anew for each batch', ['--image-memory', '1']],
] as const
for (const { title, name, flags } of notions) {
  for (const [how, more] of cases) {
    const data = [join(images, name, 'train'), '--validation', join(images, name, 'test')]
    const args = ['train', ...data, '--out', join(folder, 'model'), '--force', '--json', ...flags, ...more]
    const printed = execFileSync(process.execPath, [executable, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
    const { steps, seconds, waiting } = JSON.parse(printed.toString())
    console.log(`${title}, ${how}: ${steps} steps in ${seconds.toFixed(1)} s, ${(100 * waiting).toFixed(1)} % waiting`)
  }
}
rmSync(folder, { recursive: true })
