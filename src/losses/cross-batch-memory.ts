/** Comparing a batch with the embeddings of batches before it. */
import { UsageError } from '../errors.ts'
import { concat } from '../graph/value.ts'
import { checkCount } from '../settings.ts'
import type { Loss } from './loss.ts'
import { forwarded, merged, variablesOf } from './own-variables.ts'

export interface CrossBatchMemoryOptions {
  /** How many embeddings are kept, at least a batch of them. */
  readonly size: number
}

/**
 * Cross-batch memory: a queue of the last embeddings, the batch's own among them, is what a batch is compared with. Every loss
 * over labelled batches that takes references works with it, with every miner; no gradient flows into the queue.
 *
 * Wang, Zhang, Huang, Scott, "Cross-Batch Memory for Embedding Learning", 2020.
 *
 * @throws UsageError if the size is not a whole number; when it is built, if a batch is larger, or the examples are not
 *   labelled.
 */
export function crossBatchMemory(loss: Loss, { size }: CrossBatchMemoryOptions): Loss {
  checkCount({ size })
  return {
    ...loss,
    name: `crossBatchMemory ${loss.name}`,
    settings: { ...loss.settings, memory: size },
    ...(loss.withMining && { withMining: (mining) => crossBatchMemory(loss.withMining!(mining), { size }) }),
    variables(wanted) {
      const empty = new Float32Array(size * wanted.dimension)
      return {
        ...merged([loss], wanted),
        memory: { dtype: 'float32', shape: [size, wanted.dimension], data: empty, trained: false },
        // Below 0 stands for no example yet.
        'memory labels': { dtype: 'float32', shape: [size], data: new Float32Array(size).fill(-1), trained: false },
      }
    },
    build(examples, variables = {}) {
      if (examples.kind !== 'labelled') {
        throw new UsageError(
          'A cross-batch memory takes labelled batches, found tuples or pairs. Leave it out for them.',
        )
      }
      const { memory, 'memory labels': memoryLabels } = variables
      if (!memory || !memoryLabels) {
        throw new UsageError('A cross-batch memory needs its variables. Give those of `loss.variables`.')
      }
      const fresh = examples.references ?? { embeddings: examples.embeddings, labels: examples.labels, own: 0 }
      const rows = fresh.labels.shape[0]!
      if (rows > size) {
        throw new UsageError(`A batch of ${rows} does not fit into a memory of ${size}. Make it ${rows} at least.`)
      }
      const embeddings = concat([memory.slice(0, rows, size), fresh.embeddings.detach()], 0)
      const labels = concat([memoryLabels.slice(0, rows, size), fresh.labels.cast('float32')], 0)
      const references = {
        embeddings,
        labels: labels.cast('int32'),
        ...(fresh.own !== undefined && { own: size - rows + fresh.own }),
      }
      const built = loss.build({ ...examples, references }, variablesOf(variables, 0))
      return { ...built, state: { ...forwarded(built.state, 0), memory: embeddings, 'memory labels': labels } }
    },
  }
}
