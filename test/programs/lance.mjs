// Makes an index in LanceDB, adds to it or removes from it, in many small versions, and says when it begins and ends.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = (name) => import(pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', ...name.split('/'))).href)
const { addItems, createItems, removeItems } = await dist('search/stores.js')
const { metricsByName } = await dist('metrics/by-name.js')
const { loadPackages } = await dist('search/lance/package.js')

const [what, path] = process.argv.slice(2)
const metric = metricsByName.get('chord')
const measuring = { metric, compute: { threads: 1 } }
const dimension = 64

async function* items(from, to) {
  for (let start = from; start < to; start += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, i) => start + i)
    yield {
      vectors: Float32Array.from({ length: 1000 * dimension }, (_, i) => Math.sin(start * dimension + i)),
      entries: numbers.map((i) => ({ item: `item ${i}`, label: null, metadata: { year: 2020 + (i % 2) } })),
    }
  }
}

loadPackages()
process.stdout.write('begins\n')
if (what === 'create') {
  const of = { model: 'a model', metric: metric.name, dimension }
  await createItems(path, of, items(0, 20_000), { store: 'lancedb', ...measuring })
} else if (what === 'add') await addItems(path, items(20_000, 40_000), measuring)
else await removeItems(path, ({ metadata }) => metadata.year === 2020)
process.stdout.write('ends\n')
