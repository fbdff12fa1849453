/**
 * The picture of a report in the README: the top of the demo's report on characters, as headless Chromium shows it.
 *
 *   npm run demo && npm run picture
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { chromiumPath, launch } from '../../test/chromium.ts'

const root = join(import.meta.dirname, '..', '..')
const report = process.argv[2] ?? join(root, 'demo', 'output', 'by-character.model', 'report.html')
const executable = chromiumPath()
if (!executable) throw new Error('There is no Chromium on the PATH. Install it, or name it in CHROMIUM.')

const browser = await launch(executable)
const page = await browser.newPage({ viewport: { width: 1100, height: 1500 }, colorScheme: 'light' })
await page.goto(pathToFileURL(report).href)
await page.waitForSelector('#map svg path')
const picture = await page.screenshot()
await browser.close()
await sharp(picture)
  .png({ palette: true, colours: 128 })
  .toFile(join(root, 'docs', 'images', 'report.png'))
