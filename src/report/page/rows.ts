/** Queries with their nearest neighbours: right ones and wrong ones, the worst mistakes first. */
import type { Figures } from '../contents.ts'
import { DEPTH, type Query } from '../neighbours.ts'
import { type Html, html } from './html.ts'

export function rowsOf(figures: Figures): Html {
  const { mistakes, queryCount, queries } = figures
  const wrong = queries.filter(({ firstRight }) => firstRight > 1)
  const right = queries.filter(({ firstRight }) => firstRight === 1)
  const left = wrong.length < mistakes ? ` The worst ${wrong.length} are shown.` : ''
  return html`${
    wrong.length > 0
      ? html`<section><h2>The worst mistakes</h2><p class="note">${mistakes.toLocaleString('en')} of ${queryCount.toLocaleString('en')} queries have a nearest neighbour of another class.${left}
First those whose own class is farthest down the list. Below each neighbour: whether it is <span class="right"><span class="tag">✓ right</span></span> or
<span class="wrong"><span class="tag">✗ wrong</span></span>, and its distance.</p><div class="rows">${wrong.map((query) => rowOf(query, figures))}</div></section>`
      : html`<section><h2>No mistakes</h2><p class="note">The nearest neighbour of each of ${queryCount.toLocaleString('en')} queries is of its class.</p></section>`
  }${
    right.length > 0
      ? html`<section><h2>And what it finds</h2><p class="note">Some of the queries whose nearest neighbour is of their class, evenly spread over the data.</p><div class="rows">${right.map((query) => rowOf(query, figures))}</div></section>`
      : undefined
  }`
}

function rowOf({ row, matches, firstRight }: Query, figures: Figures): Html {
  const { label, name } = figures.item(row)
  const place =
    firstRight === 1
      ? undefined
      : html`<span>${firstRight > DEPTH ? `its class is not among the nearest ${DEPTH}` : `its class is ${ordinal(firstRight)} nearest`}</span>`
  return html`<div class="row"><div class="query">${picture(row, figures)}<div><b>${label ?? ''}</b><span>${name}</span>${place}</div></div>
<div class="matches">${matches.map((match) => {
    const found = figures.item(match.row)
    return html`<figure class="match ${match.right ? 'right' : 'wrong'}" title="${found.name}">${picture(match.row, figures)}<figcaption><i>${match.right ? '✓' : '✗'}</i> ${match.distance.toFixed(2)}<span>${found.label ?? found.name}</span></figcaption></figure>`
  })}</div></div>`
}

function picture(row: number, { pictures, item }: Figures): Html {
  const found = pictures.get(row)
  if (!found) return html`<span></span>`
  return html`<img alt="${item(row).label ?? item(row).name}" src="${found.address}"${found.small ? html` class="small"` : undefined}>`
}

function ordinal(n: number): string {
  const ending = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')
  return `${n}${ending}`
}
