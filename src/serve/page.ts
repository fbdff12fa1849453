/** The page: drop an image, see its neighbours. */
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { type Html, html } from '../report/page/html.ts'
import { shell } from '../report/page/shell.ts'
import type { About, Settings } from './tasks.ts'

/** Beside the compiled server, and as far away from its source. */
const script = new URL('../../dist/serve/browser.js', import.meta.url)

const style = `
#drop { display: grid; grid-template-columns: minmax(0, 220px) 1fr; gap: 1.5rem; align-items: center; border-style: dashed; border-width: 2px; transition: border-color .15s, background .15s }
#drop.over { border-color: var(--accent); background: var(--shade) }
#shown { aspect-ratio: 1; display: grid; place-items: center; background: var(--shade); border-radius: 10px; color: var(--soft); font-size: .9rem; text-align: center; overflow: hidden }
#shown img { border-radius: 0 } #shown img[hidden] { display: none }
.ask h2 { margin-bottom: .3rem } .ask form { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1rem; align-items: end }
label { font-size: .8rem; color: var(--soft); display: grid; gap: .2rem }
input, textarea, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .45rem .65rem }
input[type=number] { width: 5.5rem } .wide { flex: 1 1 15rem } .wide { min-width: 0; overflow-wrap: anywhere } .wide input { width: 100% } textarea { width: 100%; min-height: 9rem; resize: vertical; font: .85rem/1.5 ui-monospace, monospace }
button { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; cursor: pointer }
label[for=file] { display: inline; font-size: inherit; color: var(--accent); cursor: pointer; text-decoration: underline }
#file { position: absolute; width: 1px; height: 1px; padding: 0; border: 0; opacity: 0 }
:focus-visible, label:has(+ #file:focus-visible) { outline: 2px solid var(--accent); outline-offset: 2px }
#found { grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); gap: 1rem .8rem; margin-top: 1rem } #found img { aspect-ratio: 1 }
#found .match figcaption { font-size: .8rem } #found .none { aspect-ratio: 1; border-radius: 7px; background: var(--shade); display: grid; place-items: center; color: var(--soft); font-size: .8rem; padding: .5rem; overflow-wrap: anywhere; text-align: center; outline: 3px solid var(--tone); outline-offset: -3px }
#found .plain i { color: inherit }
#said { min-height: 1.5em; margin: .8rem 0 -.6rem; font-size: .9rem } #said.wrong { color: var(--wrong) }
@media (max-width: 720px) { #drop { grid-template-columns: 1fr } #shown { max-width: 220px } #found { grid-template-columns: repeat(3, minmax(0, 1fr)) } }
`

export async function pageOf({ model }: Settings, about: About): Promise<string> {
  const name = basename(resolve(model))
  return shell({
    title: `${name}: search`,
    body: bodyOf(name, about),
    data: { metric: about.metric, kind: about.input.kind, threshold: about.calibration?.threshold },
    script: await readFile(script, 'utf8'),
    style,
    asks: true,
  })
}

function bodyOf(name: string, { items, metric, columns, input, calibration }: About): Html {
  const marked = calibration
    ? html` Up to ${calibration.threshold.toFixed(4)} two count as the same: those are marked.`
    : undefined
  return html`<header><p class="eyebrow">Isometry search</p><h1>${name}</h1>
<p class="lead">The nearest of ${items.toLocaleString('en')} items, in the metric that the model was trained in: ${metric}.${marked}</p></header>
<section id="drop">${input.kind === 'image' ? picture : vector(input.dimension)}
<form id="ask"><label>how many<input id="k" type="number" min="1" max="1000" value="12"></label>
<label class="wide">only where, of ${columns.join(', ')}<input id="where" placeholder="label = 'a'" spellcheck="false" autocapitalize="off"></label>
<button>Search</button></form><p id="said" role="status"></p></div></section>
<section id="results" hidden><h2>Nearest</h2><div class="matches" id="found"></div></section>
<noscript><p class="notice">This page works by its own script, which is switched off.</p></noscript>`
}

const picture = html`<div id="shown"><span>no image yet</span><img id="asked" alt="the image asked for" hidden></div>
<div class="ask"><h2>Drop an image here</h2><p class="note">or paste one, or <label for="file">choose a file</label><input id="file" type="file" accept="image/*">. It goes to this server alone, which keeps nothing.</p>`

const vector = (
  dimension: number,
) => html`<div class="ask" style="grid-column:1/-1"><h2>A vector of ${dimension} numbers</h2>
<textarea id="vector" spellcheck="false" placeholder="0.12, −0.4, …" aria-label="vector"></textarea>`
