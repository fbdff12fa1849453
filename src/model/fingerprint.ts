/** What a model's embeddings of a gallery depend on: vectors of other models are not comparable with them. */
import { createHash } from 'node:crypto'
import type { ModelFiles } from './directory.ts'

/** Where queries alone are adapted, a gallery's vectors are themselves, whatever was trained. */
export function fingerprintOf({ encoder, metric, description }: ModelFiles): string {
  const { adapt, input, dimension } = description
  const hash = createHash('sha256').update(`${description.metric} ${dimension}\0`)
  if (metric) hash.update(metric)
  return hash.update(adapt === 'queries' ? JSON.stringify(input) : encoder).digest('hex')
}
