/** What stands on the page of a report, from what one looks at to what one looks up. */
import { commandLine } from '../command.ts'
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
${figures && figures.byClass.length > 0 ? byClass(figures) : undefined}
${contents.history.step.length > 0 ? training(contents) : undefined}
${settings(contents)}
<noscript><p class="notice">The charts of this page are drawn by its own script, which is switched off.</p></noscript>`
}

function header({ name, description, figures }: Contents): Html {
  const { steps, seconds } = description.training
  const on = figures
    ? html` Looked at with ${count(figures.items)} ${figures.kind}${figures.classCount > 0 ? ` of ${count(figures.classCount)} classes` : ''}.`
    : undefined
  return html`<header><p class="eyebrow">Isometry report</p><h1>${name}</h1>
<p class="lead">Trained for ${count(steps)} steps in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s with ${String(description.loss.name)}; distances are ${description.metric}.${on}</p></header>`
}

function summary({ description }: Contents, { evaluation, verification }: Figures): Html | undefined {
  const { validation } = description.training
  const isSame = evaluation !== undefined && JSON.stringify(evaluation) === JSON.stringify(validation?.after)
  const before = (of: (each: NonNullable<Figures['evaluation']>) => number) =>
    isSame ? `untrained ${percent(of(validation!.before))}` : ''
  const figures: [string, string, string][] = []
  if (evaluation) {
    figures.push(['precision@1', percent(evaluation.precisionAt1), before((each) => each.precisionAt1)])
    figures.push(['MAP@R', percent(evaluation.meanAveragePrecisionAtR), before((each) => each.meanAveragePrecisionAtR)])
    figures.push(['R-precision', percent(evaluation.rPrecision), before((each) => each.rPrecision)])
  }
  if (verification) {
    figures.push(['ROC AUC', verification.rocAuc.toFixed(3), 'same or different'])
    figures.push(['equal error rate', percent(verification.equalErrorRate), 'same or different'])
  }
  if (figures.length === 0) return undefined
  return html`<section class="figures">${figures.map(
    ([name, value, note]) => html`<div><span>${name}</span><b>${value}</b><span>${note}</span></div>`,
  )}</section>`
}

function mapSection({ map, items, sampled, kind }: Figures): Html {
  const left = sampled < items ? ` Of ${count(items)}, ${count(sampled)} are drawn, evenly spread.` : ''
  return html`<section><h2>The map</h2><p class="note">What is close in the model’s metric is close here (UMAP). Every point is
one of the ${kind}: hover or tap to see it, and its class stands out. Scroll or pinch to zoom. Crosses are those whose nearest neighbour is of another class.${left}</p>
<div id="map" class="chart" role="img" aria-label="Map of the embeddings"></div>${
    map!.points.some(({ label }) => label >= 0) ? undefined : html`<p class="note">None of them has a class.</p>`
  }</section>`
}

function distances({ description }: Contents, { sampled, items, verification }: Figures): Html {
  const of =
    sampled < items ? `${count(sampled)} of the ${count(items)} items, evenly spread` : `all ${count(items)} items`
  return html`<div class="two"><section><h2>Distances</h2><p class="note">All pairs of ${of}, by ${description.metric}
distance. At ${verification!.threshold.toFixed(3)}, same and different are told apart best.</p>
<div id="histogram" class="chart" role="img" aria-label="Histograms of distances"></div></section>
<section><h2>Same or different?</h2><p class="note">Pairs of one class that are taken for the same, against pairs of two that
are, over all thresholds. The area is ${verification!.rocAuc.toFixed(4)}.</p>
<div id="roc" class="chart" role="img" aria-label="ROC curve"></div></section></div>`
}

function byClass({ byClass: classes, classCount, pictures, map, item }: Figures): Html {
  const firstOf = new Map<number, number>()
  for (const row of pictures.keys()) {
    const label = map?.classes.indexOf(item(row).label ?? '') ?? -1
    if (!firstOf.has(label) || row < firstOf.get(label)!) firstOf.set(label, row)
  }
  const left =
    classes.length < classCount
      ? ` The ${count(classes.length)} least precise of ${count(classCount)} that can be found.`
      : ''
  return html`<section><h2>Precision by class</h2><p class="note">How often the nearest neighbour is of the same class; least first.${left}</p>
<div class="classes">${classes.map(({ label, precision, queries }) => {
    const picture = pictures.get(firstOf.get(label) ?? -1)
    const name = map?.classes[label] ?? String(label)
    return html`<div class="class" title="${name}: ${queries} queries">${picture ? html`<img alt="" src="${picture.address}"${picture.small ? html` class="small"` : undefined}>` : html`<span></span>`}
<div><b>${name}</b><div class="bar"><i style="width: ${(100 * precision).toFixed(1)}%"></i></div></div><em>${(100 * precision).toFixed(0)} %</em></div>`
  })}</div></section>`
}

function training({ description }: Contents): Html {
  return html`<div class="two"><section><h2>Loss</h2><p class="note">${String(description.loss.name)}, over the steps of training.</p>
<div id="loss" class="chart" role="img" aria-label="Loss over the steps"></div></section>
<section><h2>Positives and negatives</h2><p class="note">Their mean ${description.metric} distances in each batch.</p>
<div id="distances" class="chart" role="img" aria-label="Distances over the steps"></div></section></div>`
}

function settings({ command, description }: Contents): Html {
  const { training: trained, loss, encoder, metric, dimension } = description
  const entries = { metric, dimension, encoder, loss, ...trained.settings }
  return html`<section><h2>Settings, and how to do it again</h2>
${trained.command ? html`<p class="note">The model, from the folder that it was trained in; the same seed, threads and data give the same encoder:</p><pre>${commandLine(trained.command)}</pre>` : html`<p class="note">The model was trained by a program, with the settings below.</p>`}
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
