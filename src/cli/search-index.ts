/** `isometry index`, `index add` and `index remove` */
import type { ColumnOptions } from '../data/index.ts'
import { UsageError } from '../errors.ts'
import { addToIndex, createIndex, loadModel, type Model, removeFromIndex } from '../model/index.ts'
import type { Recall, stores } from '../search/store/backend.ts'
import { computeOptions, type DeviceArguments } from './device.ts'
import { namedOf } from './named.ts'
import { interruptible, warn } from './outcome.ts'
import { percent } from './table.ts'

type IndexArguments = DeviceArguments & ColumnOptions & { readonly query?: string; readonly json?: boolean }

export async function create(
  directory: string,
  data: string | undefined,
  options: IndexArguments & {
    readonly out?: string
    readonly store?: (typeof stores)[number]
    readonly approximate?: boolean
  },
): Promise<void> {
  const { out, query, store, approximate, json } = options
  if (out === undefined) throw new UsageError('Name the folder to write with --out INDEX.')
  const examples = namedOf(data, query)
  await withModel(directory, options, async (model, signal) => {
    const { items, recall } = await createIndex(model, examples, out, { signal, store, approximate })
    const { dimension } = model.description
    if (json) return print({ index: out, items, metric: model.metric.name, dimension, ...recall })
    process.stdout.write(
      `${counted(items)} in ${out}, metric ${model.metric.name}, ${recall ? approximately(recall) : 'searched exactly'}\n` +
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
    const { items: added, recall } = await addToIndex(model, examples, folder, { signal, replace })
    if (json) return print({ index: folder, added, ...recall })
    process.stdout.write(`${counted(added)} added to ${folder}${recall ? `, ${approximately(recall)}` : ''}\n`)
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

function print(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

function approximately({ recallAt10, queries }: Recall): string {
  return `searched approximately: ${percent(recallAt10)} of the ten nearest are found (${queries} of its own vectors, against exact search)`
}

function counted(items: number): string {
  return items === 1 ? '1 item' : `${items} items`
}
