/** The report of a model: everything is gathered here, and the page is made of it. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { itemsOf, type Source, subset } from '../data/index.ts'
import { writeWhole } from '../files.ts'
import type { Model } from '../model/index.ts'
import type { Tensor } from '../tensor.ts'
import type { Figures } from './contents.ts'
import { readHistory } from './history.ts'
import { mapOf } from './map.ts'
import { neighbours, precisionByClass, type Query, worstFirst } from './neighbours.ts'
import { bodyOf } from './page/body.ts'
import { shell } from './page/shell.ts'
import { verify } from './pairs.ts'
import { type Thumbnail, thumbnail } from './thumbnails.ts'

export interface ReportOptions {
  /** What the model is called: the directory that it is in. */
  readonly name: string
  /** The command that makes this report again. */
  readonly command: string
  /** Why there are no items to show, or not all of them. */
  readonly notice?: string | undefined
}

/** Bounds on what a page holds, whatever the data. */
const POINTS = 1000
const [WORST, TYPICAL] = [12, 6]
const [SMALL_SIDE, LARGE_SIDE] = [56, 112]
const CLASSES = 120

/** Beside the compiled report, and as far away from its source. */
const script = new URL('../../dist/report/charts.js', import.meta.url)

/** Writes the report as one HTML file, whole or not at all. @throws DataError if it cannot be written. */
export async function writeReport(
  file: string,
  model: Model,
  source: Source | undefined,
  options: ReportOptions,
): Promise<void> {
  await writeWhole(file, await reportOf(model, source, options))
}

/**
 * The report as the text of an HTML file that needs nothing else. The same model and data give the same text.
 *
 * @param source what the model is looked at with; without it, what is known of training alone is shown.
 */
export async function reportOf(model: Model, source: Source | undefined, options: ReportOptions): Promise<string> {
  const figures = source && (await measure(model, source))
  const history = readHistory(model.history)
  const name = basename(resolve(options.name))
  return shell({
    title: `${name}: Isometry report`,
    body: bodyOf({ ...options, name, description: model.description, history, figures }),
    data: {
      metric: model.metric.name,
      history,
      ...(figures && { verification: figures.verification, map: figures.map }),
    },
    script: await readFile(script, 'utf8'),
  })
}

async function measure(model: Model, source: Source): Promise<Figures> {
  const embeddings = {
    query: await model.embed(source),
    gallery: await model.embed(source, { role: 'gallery' }),
  }
  const queries = await neighbours(model, source, embeddings)
  const right = new Map(queries.map(({ row, firstRight }) => [row, firstRight === 1]))
  const folder = commonFolder(itemsOf(source))
  const nameOf = (row: number) => source.item(row).slice(folder.length)

  const rows = spread(source.length, POINTS)
  const sample = { query: pick(embeddings.query, rows), gallery: pick(embeddings.gallery, rows) }
  const labels = subset(source, rows).labels
  const isImage = source.input.kind === 'image'
  const pictures = isImage ? await Promise.all(rows.map((row) => thumbnail(source.item(row), SMALL_SIDE))) : []
  const places = await mapOf(sample.gallery, model.metric)

  const worst = worstFirst(queries)
  const fine = queries.filter(({ firstRight }) => firstRight === 1)
  const shown = [...worst.slice(0, WORST), ...spread(fine.length, TYPICAL).map((i) => fine[i]!)]
  const classes = precisionByClass(queries, source.labels)
  return {
    items: source.length,
    kind: isImage ? 'images' : 'items',
    classCount: source.classes.length,
    folder,
    evaluation: queries.length > 0 ? await model.evaluate(source) : undefined,
    verification: await verify(model.metric, sample, labels),
    sampled: rows.length,
    map: places && {
      classes: source.classes,
      points: rows.map((row, i) => ({
        place: places[i]!.map((x) => Math.round(1000 * x) / 1000) as [number, number],
        label: source.labels[row]!,
        name: nameOf(row),
        right: right.get(row) ?? null,
        picture: pictures[i]?.address ?? null,
      })),
    },
    queries: shown.map(({ row, firstRight, matches }) => ({ row, firstRight, matches })),
    mistakes: worst.length,
    queryCount: queries.length,
    byClass: classes.slice(0, CLASSES),
    item: (row) => ({ label: source.classes[source.labels[row]!] ?? null, name: nameOf(row) }),
    pictures: isImage ? await picturesOf(source, shown, classes.slice(0, CLASSES)) : new Map(),
  }
}

/** Thumbnails of what rows show, and of one item of each class. */
async function picturesOf(source: Source, shown: readonly Query[], classes: Figures['byClass']) {
  const wanted = new Set(shown.flatMap(({ row, matches }) => [row, ...matches.map((match) => match.row)]))
  for (const { label } of classes) wanted.add(source.labels.indexOf(label))
  const made = await Promise.all(
    [...wanted].map(async (row) => [row, await thumbnail(source.item(row), LARGE_SIDE)] as const),
  )
  return new Map(made.filter((each): each is readonly [number, Thumbnail] => each[1] !== undefined))
}

/** Up to `count` of so many rows, evenly spread. */
function spread(length: number, count: number): number[] {
  const kept = Math.min(length, count)
  return Array.from({ length: kept }, (_, i) => Math.floor((i * length) / kept))
}

function pick({ dtype, shape, data }: Tensor, rows: readonly number[]): Tensor {
  const width = shape[1]!
  const picked = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    picked.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width)
  })
  return { dtype, shape: [rows.length, width], data: picked }
}

/** The folder that all items lie in, with the slash after it; '' if there is none. */
function commonFolder(items: readonly string[]): string {
  let folder = items.length > 0 ? dirname(items[0]!) : '.'
  while (folder !== dirname(folder) && !items.every((item) => item.startsWith(`${folder}/`))) folder = dirname(folder)
  return folder !== '.' && items.every((item) => item.startsWith(`${folder}/`)) ? `${folder}/` : ''
}
