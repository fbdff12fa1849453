/** The demo: two models of the same letters, one for which character it is and one for which typeface. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Evaluation } from 'isometry'
import { notions, type Results, trainModel } from './models.ts'
import { pageOf, type Row } from './page.ts'
import { renderImages } from './render.ts'

/** Characters that the first model never saw, in typefaces that the second never saw, as `script/character/typeface`. */
const queries = [
  'Greek/lambda-capital/eb-garamond',
  'Cyrillic/zhe-capital/roboto-slab',
  'Greek/psi-capital/didact-gothic',
  'Cyrillic/ya-capital/fira-mono',
  'Greek/xi-small/eb-garamond',
  'Cyrillic/yu-capital/tektur',
  'Greek/omega-small/roboto-slab',
  'Cyrillic/shcha-capital/didact-gothic',
  'Greek/sigma-small/tektur',
]
const NEIGHBOURS = 8

const folder = dirname(import.meta.dirname)
const images = join(folder, 'images')
const output = join(folder, 'output')

console.log('Rendering letters of real typefaces …')
for (const { tree, images: count, classes } of await renderImages(images)) {
  console.log(`  ${tree.padEnd(18)} ${String(count).padStart(5)} images of ${String(classes).padStart(2)} classes`)
}
await mkdir(output, { recursive: true })

const results: Results[] = []
for (const notion of notions) results.push(await trainModel(notion, images, output))

const gallery = join(images, 'by-character', 'test')
const files = queries.map((query) => join(gallery, `${query}.png`))
const found = await Promise.all(results.map(({ model }) => model.search(files, gallery, { k: NEIGHBOURS })))
const rows = files.map((query, i): Row => ({ query, matches: found.map((each) => each[i]!.matches) }))

const page = join(output, 'index.html')
await writeFile(page, await pageOf(results, rows))
await Promise.all(results.map(({ model }) => model.release()))

const percent = (of: (each: Evaluation) => number) => (each: Evaluation) =>
  `${(100 * of(each)).toFixed(1)} %`.padStart(12)
console.log('\nOn classes that were never trained on:')
for (const { notion, pixels, untrained, trained } of results) {
  console.log(
    `\n  ${notion.title.padEnd(14)}${'raw pixels'.padStart(12)}${'untrained'.padStart(12)}${'trained'.padStart(12)}`,
  )
  for (const [name, of] of [
    ['precision@1', percent((each) => each.precisionAt1)],
    ['MAP@R', percent((each) => each.meanAveragePrecisionAtR)],
  ] as const) {
    console.log(`  ${name.padEnd(14)}${[pixels, untrained, trained].map(of).join('')}`)
  }
}
console.log(`\nThe page with what each model finds similar: ${page}`)
