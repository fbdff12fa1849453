/** What stands on the page of a report, from what one looks at to what one looks up. */
import type { Evaluation } from '../../evaluation/index.ts'
import type { Contents, Figures } from '../contents.ts'
import { type Html, html } from './html.ts'
import { rowsOf } from './rows.ts'

export function bodyOf(contents: Contents): Html {
  const { figures, notice } = contents
  return html`${header(contents)}
${notice === undefined ? undefined : html`<p class="notice">${notice}</p>`}
${figures && summary(contents, figures)}
${figures?.map && mapSection(figures)}
${figures && figures.queryCount > 0 ? rowsOf(figures) : undefined}
${figures?.verification && distances(contents, figures)}
${figures && figures.byClass.length > 0 ? classes(figures) : undefined}
${contents.history.step.length > 0 ? training(contents) : undefined}
${settings(contents)}
<noscript><p class="notice">The charts of this page are drawn by its own script, which is switched off.</p></noscript>`
}

function header({ name, description, figures }: Contents): Html {
  const { steps, seconds } = description.training
  const on = figures
    ? html` Looked at with ${count(figures.items)} ${figures.kind}${figures.classCount > 0 ? ` of ${count(figures.classCount)} classes` : ''}${figures.compared === undefined ? '' : `, compared with ${count(figures.compared)} others`}.`
    : undefined
  return html`<header><p class="eyebrow">Isometry report</p><h1>${name}</h1>
<p class="lead">Trained for ${count(steps)} steps in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s with ${String(description.loss.name)}; distances are ${description.metric}.${on}</p></header>`
}

function summary({ description }: Contents, { evaluation, verification }: Figures): Html | undefined {
  const { before, after } = description.training.validation ?? {}
  const isHeldOut =
    after?.items === evaluation?.items && after?.meanAveragePrecisionAtR === evaluation?.meanAveragePrecisionAtR
  const untrained = (of: (each: Evaluation) => number) =>
    before && isHeldOut ? `untrained ${percent(of(before))}` : ''
  const measures: [string, (each: Evaluation) => number][] = [
    ['precision@1', (each) => each.precisionAt1],
    ['MAP@R', (each) => each.meanAveragePrecisionAtR],
    ['R-precision', (each) => each.rPrecision],
  ]
  const figures = [
    ...(evaluation ? measures.map(([name, of]) => [name, percent(of(evaluation)), untrained(of)] as const) : []),
    ...(verification
      ? [
          ['ROC AUC', verification.rocAuc.toFixed(3), 'same or different'] as const,
          ['equal error rate', percent(verification.equalErrorRate), 'same or different'] as const,
        ]
      : []),
  ]
  if (figures.length === 0) return undefined
  return html`<section class="figures">${figures.map(
    ([name, value, note]) => html`<div><span>${name}</span><b>${value}</b><span>${note}</span></div>`,
  )}</section>`
}

function mapSection({ map, items: queries, compared = 0, kind }: Figures): Html {
  const points = map!.points
  const items = queries + compared
  const left = points.length < items ? ` Of ${count(items)}, ${count(points.length)} are drawn, evenly spread.` : ''
  const classless = points.every(({ label }) => label < 0) ? ' None of them has a class.' : ''
  return html`<section><h2>The map</h2><p class="note">What is close in the model’s metric is close here (UMAP). Every point is
one of the ${kind}: hover or tap to see it, and its class stands out. Drag to move, scroll or pinch to zoom. Crosses are those whose nearest
neighbour is of another class.${left}${classless}</p>
<div id="map" class="chart" role="img" aria-label="Map of the embeddings"></div></section>`
}

function distances({ description }: Contents, { items, compared, verification }: Figures): Html {
  const { pairs, marked, rocAuc } = verification!
  return html`<div class="two"><section><h2>Distances</h2><p class="note">All ${count(pairs.same)} pairs of one class and
${count(pairs.different)} of two ${compared === undefined ? `among ${count(items)} items` : `of ${count(items)} queries and ${count(compared)} items`}, by ${description.metric} distance. At ${marked.distance.toFixed(3)}, ${marked.meaning}.</p>
<div id="histogram" class="chart" role="img" aria-label="Histograms of distances"></div></section>
<section><h2>Same or different?</h2><p class="note">Pairs of one class that are taken for the same, against pairs of two that
are, over all thresholds (ROC). The area below is ${rocAuc.toFixed(4)}.</p>
<div id="roc" class="chart" role="img" aria-label="ROC curve"></div></section></div>`
}

function classes({ byClass, measuredClasses, pictures }: Figures): Html {
  const left =
    byClass.length < measuredClasses
      ? ` The ${count(byClass.length)} least precise of ${count(measuredClasses)} are shown.`
      : ''
  return html`<section><h2>Precision by class</h2><p class="note">How often the nearest neighbour is of the same class; least first.${left}</p>
<div class="classes">${byClass.map(({ name, precision, queries, row }) => {
    const found = pictures.get(row)
    const picture = found ? html`<img alt="" src="${found.address}">` : html`<span></span>`
    return html`<div class="class" title="${name}: ${count(queries)} queries">${picture}<div><b>${name}</b>
<div class="bar"><i style="width: ${(100 * precision).toFixed(1)}%"></i></div></div><em>${(100 * precision).toFixed(0)} %</em></div>`
  })}</div></section>`
}

function training({ description }: Contents): Html {
  return html`<div class="two"><section><h2>Loss</h2><p class="note">${String(description.loss.name)}, over the steps of training.</p>
<div id="loss" class="chart" role="img" aria-label="Loss over the steps"></div></section>
<section><h2>Positives and negatives</h2><p class="note">Their mean ${description.metric} distances in each batch.</p>
<div id="distances" class="chart" role="img" aria-label="Distances over the steps"></div></section></div>`
}

function settings({ command, trainCommand, description }: Contents): Html {
  const { training: trained, loss, encoder, metric, dimension } = description
  const entries = { metric, dimension, encoder, loss, ...trained.settings }
  return html`<section><h2>Settings, and how to do it again</h2>
${
  trainCommand === undefined
    ? html`<p class="note">The model was trained by a program, with the settings below.</p>`
    : html`<p class="note">The model: the same seed, threads and data give the same encoder.</p><pre>${trainCommand}</pre>`
}
<p class="note">This page:</p><pre>${command}</pre>
<dl>${Object.entries(entries).map(([name, value]) => html`<dt>${spaced(name)}</dt><dd>${shown(value)}</dd>`)}<dt>data</dt><dd>SHA-256 ${trained.fingerprint}</dd></dl></section>`
}

/** `cosineMarginTriplet, margin 0.2, scale 8` for an object with a name, else the value itself. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value !== 'object') return String(value)
  const { name, ...rest } = value as Record<string, unknown>
  const parts = Object.entries(rest).map(
    ([key, each]) => `${spaced(key)} ${typeof each === 'object' ? JSON.stringify(each) : each}`,
  )
  return [...(name === undefined ? [] : [String(name)]), ...parts].join(', ')
}

const spaced = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const count = (n: number) => n.toLocaleString('en')
