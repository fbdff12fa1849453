/** `isometry index`, `index add` and `index remove` */
import type { ColumnOptions } from '../data/index.ts'
import { UsageError } from '../errors.ts'
import { type AboutIndex, addToIndex, createIndex, loadModel, type Model, removeFromIndex } from '../model/index.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { namedOf } from './named.ts'
import { interruptible, warn } from './outcome.ts'
import { percent } from './table.ts'

interface StoreArguments {
  readonly store?: 'exact' | 'lancedb'
  readonly approximate?: 'ivf-flat' | 'ivf-pq' | 'hnsw-sq'
  readonly partitions?: number
  readonly probes?: number
}

type IndexArguments = DeviceArguments & ColumnOptions & { readonly query?: string; readonly json?: boolean }

export async function create(
  directory: string,
  data: string | undefined,
  options: IndexArguments & StoreArguments & { readonly out?: string },
): Promise<void> {
  const { out, query, json, store, approximate: kind, partitions, probes } = options
  if (kind === undefined && (partitions ?? probes) !== undefined) {
    throw new UsageError('--partitions and --probes are of --approximate. Say which one, or leave them out.')
  }
  const approximate = kind && { kind, partitions, probes }
  if (out === undefined) throw new UsageError('Name the folder to write with --out INDEX.')
  const examples = namedOf(data, query)
  await withModel(directory, options, async (model, signal) => {
    const about = await createIndex(model, examples, out, { signal, store, approximate })
    const { items, metric, dimension, approximate: built } = about
    if (json) return print({ index: out, items, metric, dimension, ...(built && { approximate: built }) })
    const how = built ? 'searched approximately' : 'searched exactly'
    process.stdout.write(
      `${counted(items)} in ${out}, metric ${metric}, ${how}\n${recallOf(about)}` +
        `to search it: isometry search ${directory} QUERY --index ${out}\n`,
    )
  })
}

export async function add(
  folder: string,
  directory: string,
  data: string | undefined,
  options: IndexArguments & { readonly replace?: boolean },
): Promise<void> {
  const { query, replace, json } = options
  const examples = namedOf(data, query)
  await withModel(directory, options, async (model, signal) => {
    const about = await addToIndex(model, examples, folder, { signal, replace })
    const { items: added, approximate } = about
    if (json) return print({ index: folder, added, ...(approximate && { approximate }) })
    process.stdout.write(`${counted(added)} added to ${folder}\n${recallOf(about)}`)
  })
}

export async function remove(
  folder: string,
  items: readonly string[],
  { where, json }: { readonly where?: string; readonly json?: boolean },
): Promise<void> {
  if (items.length > 0 === (where !== undefined)) {
    throw new UsageError(`Name either ITEMs or --where, found ${where === undefined ? 'none' : 'both'} of them.`)
  }
  const removed = await removeFromIndex(folder, where === undefined ? { items } : { where })
  if (json) print({ index: folder, removed })
  else process.stdout.write(`${counted(removed)} removed from ${folder}\n`)
}

async function withModel(
  directory: string,
  options: IndexArguments,
  work: (model: Model, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = interruptible()
  const model = await loadModel(directory, { columns: options, warn, signal, ...computeOptions(options) })
  try {
    await work(model, signal)
  } finally {
    await model.release()
  }
}

/** What an approximation finds, as it was measured; nothing where every vector is looked at. */
function recallOf({ approximate }: AboutIndex): string {
  if (!approximate?.recall) return ''
  const { kind, partitions, probes, recall } = approximate
  return `recall@${recall.at} ${percent(recall.share)} of exact search, over ${recall.queries} items: ${kind}, ${probes} of ${partitions} partitions\n`
}

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

function counted(items: number): string {
  return items === 1 ? '1 item' : `${items} items`
}
