/** The demo's page: figures, and queries with their nearest neighbours under each model, in one file. */
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Evaluation, Match } from 'isometry'
import type { Results } from './models.ts'

export interface Row {
  /** The image's file, `…/script/character/typeface.png`. */
  readonly query: string
  /** For each model its matches, nearest first. */
  readonly matches: readonly (readonly Match[])[]
}

export async function pageOf(results: readonly Results[], rows: readonly Row[]): Promise<string> {
  const body = await Promise.all(rows.map((row) => rowOf(row, results)))
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Isometry: you say what similar means</title>
<style>${style}</style>
<main>
<h1>You say what <em>similar</em> means</h1>
<p class="lead">Two models saw the same letters. One was told that images of the same <b>character</b> belong together, the
other that images of the same <b>typeface</b> do. Nothing below was trained on: not these characters by the first model,
and not these typefaces by the second.</p>

<h2>Nearest neighbours</h2>
<p>Each query with its ${rows[0]!.matches[0]!.length} nearest of all Greek and Cyrillic test images, under each model. Marked:
<span class="key hit"></span> of the query's character on the left, of its typeface on the right. Below each image: its
distance, ${results[0]!.model.metric.name}.</p>
<div class="rows">
<div class="head"><span>Query</span>${results.map(({ notion }) => `<span>${notion.title}</span>`).join('')}</div>
${body.join('\n')}
</div>

<h2>Figures</h2>
<p>Share of images whose nearest neighbour is of their class (precision@1), and MAP@R, on classes that were never trained
on. To beat: nearest neighbours on the raw pixels in the same metric, and the same encoder untrained.</p>
<div class="scroll"><table>
<thead><tr><th></th><th>Tested on</th><th></th><th>raw pixels</th><th>untrained</th><th>trained</th></tr></thead>
${results.map(figuresOf).join('\n')}
</table></div>
<p class="foot">Trained with <code>isometry train</code>, ${results
    .map(({ model, notion }) => {
      const { steps, seconds } = model.description.training
      return `${notion.title.toLowerCase()} ${steps} steps in ${seconds.toFixed(0)} s`
    })
    .join(
      ', ',
    )}. The loss is ${results[0]!.model.description.loss.name}. Typefaces under open licences; see the demo's README.</p>
</main>
</html>
`
}

async function rowOf({ query, matches }: Row, results: readonly Results[]): Promise<string> {
  const [character, typeface] = [characterOf(query), typefaceOf(query)]
  const columns = await Promise.all(
    matches.map(async (each, i) => {
      const wanted = results[i]!.notion.name === 'by-character' ? characterOf : typefaceOf
      const cells = await Promise.all(
        each.map(async ({ item, distance }) => {
          const hit = wanted(item) === wanted(query)
          const title = `${characterOf(item)}, ${typefaceOf(item)}`
          return `<figure class="${hit ? 'hit' : 'miss'}" title="${title}">${await picture(item, title)}<figcaption>${distance.toFixed(2)}</figcaption></figure>`
        }),
      )
      return `<div class="matches" data-title="${results[i]!.notion.title}">${cells.join('')}</div>`
    }),
  )
  const label = `<figcaption><b>${character.replaceAll('-', ' ')}</b><br>${typeface.replaceAll('-', ' ')}</figcaption>`
  return `<div class="row"><figure class="query">${await picture(query, `${character}, ${typeface}`)}${label}</figure>${columns.join('')}</div>`
}

async function picture(file: string, title: string): Promise<string> {
  return `<img alt="${title}" src="data:image/png;base64,${(await readFile(file)).toString('base64')}">`
}

const characterOf = (file: string) => `${basename(dirname(dirname(file)))} ${basename(dirname(file))}`
const typefaceOf = (file: string) => basename(file, '.png')

function figuresOf({ notion, pixels, untrained, trained }: Results): string {
  const measures: [string, (each: Evaluation) => number][] = [
    ['precision@1', (each) => each.precisionAt1],
    ['MAP@R', (each) => each.meanAveragePrecisionAtR],
  ]
  const lines = measures.map(([name, of], i) => {
    const cells = [pixels, untrained, trained].map((each) => `<td>${(100 * of(each)).toFixed(1)} %</td>`).join('')
    const head = i === 0 ? `<th rowspan="2">${notion.title}</th><td class="text" rowspan="2">${notion.test}</td>` : ''
    return `<tr>${head}<td class="text">${name}</td>${cells}</tr>`
  })
  return `<tbody>${lines.join('')}</tbody>`
}

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --paper: #fff; --line: #e4e7ec; --hit: #12805c; --miss: #d0d5dd }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --paper: #14181f; --line: #2a313c; --hit: #3ecf98; --miss: #3a4250 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: 2rem; margin: 0 0 .5rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem }
p { max-width: 46rem } .lead { font-size: 1.1rem } .foot, figcaption { color: var(--soft) } .foot { font-size: .875rem }
figure { margin: 0; text-align: center } figcaption { font-size: .72rem; line-height: 1.3; font-variant-numeric: tabular-nums }
img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 5px; background: #000 }
.head, .row { display: grid; grid-template-columns: 7rem 1fr 1fr; gap: 0 1.75rem; align-items: center }
.head { font-weight: 600; padding: .5rem 0; border-bottom: 1px solid var(--line) }
.row { padding: .8rem 0; border-bottom: 1px solid var(--line) }
.query img { width: 64px; margin: 0 auto .3rem }
.matches { display: grid; grid-template-columns: repeat(8, 1fr); gap: .45rem }
.matches img { border: 3px solid var(--miss) } .hit img { border-color: var(--hit) }
.key { display: inline-block; width: .9em; height: .9em; border: 3px solid var(--hit); border-radius: 4px; vertical-align: -.1em }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } tbody { border-top: 1px solid var(--line) }
th, td { padding: .4rem 1.1rem .4rem 0; text-align: right; font-weight: normal } thead th { color: var(--soft); font-size: .875rem }
tbody th, .text, thead th:nth-child(2) { text-align: left } tbody th { font-weight: 600; white-space: nowrap } td:last-child { font-weight: 600; color: var(--hit) }
td { white-space: nowrap } td.text[rowspan] { white-space: normal; max-width: 22rem; line-height: 1.35 }
@media (max-width: 760px) {
  .head { display: none } .row { grid-template-columns: 1fr; gap: .7rem }
  .query { display: flex; gap: .8rem; align-items: center; text-align: left } .query img { margin: 0 }
  .matches::before { content: attr(data-title); grid-column: 1 / -1; font-size: .85rem; font-weight: 600 }
}
`
