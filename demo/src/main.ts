/** The demo: two models of the same letters, one for which character it is and one for which typeface. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Evaluation } from 'isometry'
import { notions, type Results, trainModel } from './models.ts'
import { renderImages } from './render.ts'

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
console.log('\nLook at what each model finds similar, and at its worst mistakes:')
for (const { notion } of results) {
  console.log(`  ${notion.title.padEnd(14)}${join(output, `${notion.name}.model`, 'report.html')}`)
}
