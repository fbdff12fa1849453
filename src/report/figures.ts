/** All that a report shows of items, bounded whatever their number. */

import { itemsOf, labelsOf, type Source } from '../data/index.ts'
import { evaluate, type Verification, verify } from '../evaluation/index.ts'
import type { Model } from '../model/index.ts'
import { pick } from '../search/matrix.ts'
import type { Tensor } from '../tensor.ts'
import type { ClassRow, Figures, Threshold } from './contents.ts'
import { commonFolder } from './items.ts'
import { mapOf } from './map.ts'
import { neighbours, type Query, rolesOf, worstFirst } from './neighbours.ts'
import { thumbnails } from './thumbnails.ts'

const POINTS = 1000
const [WORST, TYPICAL] = [12, 6]
const CLASSES = 120
/** Sides of thumbnails in pixels: on the map, and in rows. */
const [SMALL, LARGE] = [56, 112]

export async function figuresOf(model: Model, source: Source): Promise<Figures> {
  const { metric } = model
  const roles = rolesOf(source)
  const asked = await model.embed(source)
  const places = model.description.adapt ? await model.embed(source, { role: 'gallery' }) : asked
  const [query, gallery] = [pick(asked, roles.queries), pick(places, roles.gallery)]
  const queries = await neighbours(model, source, roles, { query, gallery })
  const embedded = { embeddings: query, ...ofRows(source, roles.queries) }
  const compared = { gallery: { embeddings: gallery, ...ofRows(source, roles.gallery) }, own: roles.own }
  // Of intervals and clusters, which take far longer than all else, the page shows nothing.
  const evaluation =
    queries.length > 0 ? await evaluate(embedded, metric, { ...compared, only: 'retrieval' }) : undefined
  const isBoth = queries.length > 0 && new Set(queries.map(({ row }) => source.labels[row])).size > 1
  const verification = isBoth ? await verify(embedded, metric, { ...compared, resamples: 0 }) : undefined

  const worst = worstFirst(queries)
  const fine = queries.filter(({ firstRight }) => firstRight === 1)
  const shown = [...worst.slice(0, WORST), ...spread(fine.length, TYPICAL).map((i) => fine[i]!)]
  const byClass = classRows(queries, source)
  const isImage = source.input.kind === 'image'
  const folder = commonFolder(itemsOf(source))
  return {
    items: roles.queries.length,
    compared: roles.own ? undefined : roles.gallery.length,
    kind: isImage ? 'images' : 'items',
    classCount: source.classes.length,
    evaluation,
    verification: verification && { ...verification, marked: thresholdOf(model, verification) },
    map: await mapFigures(model, source, places, queries, folder),
    queries: shown,
    mistakes: worst.length,
    queryCount: queries.length,
    byClass: byClass.slice(0, CLASSES),
    measuredClasses: byClass.length,
    item: (row) => ({
      label: source.classes[source.labels[row]!] ?? null,
      name: source.item(row).slice(folder.length),
    }),
    pictures: isImage ? await thumbnails(source, rowsShown(shown, byClass), LARGE) : new Map(),
  }
}

/** Labels and groups of these rows. */
function ofRows(source: Source, rows: readonly number[]) {
  const labels = labelsOf(source)
  const { groups } = source
  return {
    labels: rows.map((row) => labels[row]!),
    groups: groups && Int32Array.from(rows, (row) => groups[row]!),
  }
}

async function mapFigures(
  model: Model,
  source: Source,
  embeddings: Tensor,
  queries: readonly Query[],
  folder: string,
): Promise<Figures['map']> {
  const rows = spread(source.length, POINTS)
  const places = await mapOf(pick(embeddings, rows), model.metric)
  if (!places) return undefined
  const right = new Map(queries.map(({ row, firstRight }) => [row, firstRight === 1]))
  const pictures = source.input.kind === 'image' ? await thumbnails(source, rows, SMALL) : new Map()
  return {
    classes: source.classes,
    points: rows.map((row, i) => ({
      place: places[i]!.map((x) => Math.round(1000 * x) / 1000) as [number, number],
      label: source.labels[row]!,
      name: source.item(row).slice(folder.length),
      right: right.get(row) ?? null,
      picture: pictures.get(row)?.address ?? null,
    })),
  }
}

/** The least precise first. */
function classRows(queries: readonly Query[], { classes, labels }: Source): ClassRow[] {
  const byLabel = new Map<number, Query[]>()
  for (const query of queries) {
    const label = labels[query.row]!
    const known = byLabel.get(label)
    if (known) known.push(query)
    else byLabel.set(label, [query])
  }
  return [...byLabel]
    .map(([label, of]) => ({
      name: classes[label]!,
      queries: of.length,
      precision: of.filter(({ firstRight }) => firstRight === 1).length / of.length,
      row: of[0]!.row,
    }))
    .sort((a, b) => a.precision - b.precision || (a.name < b.name ? -1 : 1))
}

/** The threshold that the model was calibrated to, or else the one that tells most of these pairs right. */
function thresholdOf({ description: { calibration } }: Model, { bestThreshold }: Verification): Threshold {
  if (!calibration) return { distance: bestThreshold, meaning: 'the most pairs are told right' }
  const { threshold, falsePositiveRate } = calibration
  return { distance: threshold, meaning: `the model was calibrated to a false positive rate of ${falsePositiveRate}` }
}

function rowsShown(shown: readonly Query[], byClass: readonly ClassRow[]): number[] {
  const rows = shown.flatMap(({ row, matches }) => [row, ...matches.map((match) => match.row)])
  return [...new Set([...rows, ...byClass.slice(0, CLASSES).map(({ row }) => row)])]
}

/** Up to `count` of so many rows, evenly spread. */
function spread(length: number, count: number): number[] {
  const kept = Math.min(length, count)
  return Array.from({ length: kept }, (_, i) => Math.floor((i * length) / kept))
}
