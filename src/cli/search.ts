/** `isometry search` */
import { loadModel } from '../model/index.ts'
import { interruptible, warn } from './outcome.ts'

export async function search(
  directory: string,
  queries: readonly string[],
  { gallery, k, json }: { gallery: string; k: number; json?: boolean },
): Promise<void> {
  const model = await loadModel(directory, { warn, signal: interruptible() })
  const results = await model.search(queries, gallery, { k })
  await model.release()
  if (json) {
    process.stdout.write(`${JSON.stringify(results)}\n`)
    return
  }
  for (const { query, matches } of results) {
    process.stdout.write(`${query}\n`)
    for (const { item, label, distance } of matches) {
      process.stdout.write(`  ${distance.toFixed(4)}  ${item}${label === null ? '' : `  (${label})`}\n`)
    }
  }
}
