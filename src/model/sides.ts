/** The two sides of a comparison: what asks, and what answers. They are embedded alike, unless queries alone are adapted. */
import { byRole, type Source, subset, type Tuples } from '../data/index.ts'
import { identity } from '../encoders/adapters.ts'
import {
  type EmbeddedTuples,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluateTuples,
  type LabelledEmbeddings,
  type TupleEvaluation,
} from '../evaluation/index.ts'
import type { Input } from '../inputs/input.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Tensor } from '../tensor.ts'
import { type Embedder, type EmbedderOptions, openEmbedder } from './embedder.ts'
import { exportEncoder } from './export.ts'

export interface Sides {
  readonly query: Embedder
  /** The same as `query`, unless queries alone are adapted: then it gives the vectors themselves, of unit length where an encoder's are. */
  readonly gallery: Embedder
  release(): Promise<void>
}

export interface SidesOptions {
  readonly dimension: number
  readonly metric: Metric
  readonly input: Input
  readonly adapt?: 'queries' | undefined
}

/** Opens the bytes of an `encoder.onnx`, for queries and for a gallery. */
export async function openSides(
  encoder: Uint8Array,
  { dimension, metric, input, adapt }: SidesOptions,
  options: EmbedderOptions,
): Promise<Sides> {
  const query = await openEmbedder(encoder, dimension, options)
  if (adapt === undefined || input.kind !== 'vector') return { query, gallery: query, release: () => query.release() }
  const raw = await exportEncoder(identity({ input }), {}, metric)
  const gallery = await openEmbedder(raw, dimension, options)
  return {
    query,
    gallery,
    async release() {
      await query.release()
      await gallery.release()
    },
  }
}

/** How well examples of one class are each other's nearest neighbours, or distances agree with tuples. */
export async function evaluateExamples(
  sides: Sides,
  examples: Source | Tuples,
  metric: Metric,
  { gallery, ...options }: Omit<EvaluateOptions, 'gallery' | 'own'> & { readonly gallery?: Source | undefined },
): Promise<Evaluation | TupleEvaluation> {
  if ('examples' in examples) return evaluateTuples(await embedTuples(sides, examples), metric, options)
  const { queries, ...compared } = await embedSides(sides, examples, gallery)
  return evaluate(queries, metric, { ...compared, ...options })
}

/** Examples, and what they are compared with: a gallery, which the data itself may name, or themselves as the other side embeds them. */
export async function embedSides(
  sides: Sides,
  examples: Source,
  gallery?: Source,
): Promise<{ queries: LabelledEmbeddings; gallery?: LabelledEmbeddings; own?: boolean }> {
  const roles = gallery ? undefined : byRole(examples)
  if (roles) return embedSides(sides, roles.queries, roles.gallery)
  const queries = await sides.query.embedLabelled(examples)
  if (gallery) {
    const compared = await sides.gallery.embedLabelled(gallery)
    return { queries, gallery: { ...compared, groups: groupsAs(examples, gallery) } }
  }
  if (sides.gallery === sides.query) return { queries }
  return { queries, gallery: await sides.gallery.embedLabelled(examples), own: true }
}

/** The groups of a gallery as the queries number them: equal names are equal groups. */
function groupsAs({ groupNames }: Source, gallery: Source): Int32Array | undefined {
  if (!groupNames || !gallery.groups) return undefined
  const numbers = new Map(groupNames.map((name, number) => [name, number]))
  const own = (gallery.groupNames ?? []).map((name) => numbers.get(name) ?? -1)
  return gallery.groups.map((group) => own[group] ?? -1)
}

/** Anchors ask; what they are compared with answers. Each example is embedded once for a side. */
async function embedTuples(sides: Sides, { kind, members, examples, score }: Tuples): Promise<EmbeddedTuples> {
  const [first, ...rest] = Object.entries(members) as [[string, Int32Array], ...[string, Int32Array][]]
  const parts = [
    ...(await embedRows(sides.query, examples, [first])),
    ...(await embedRows(sides.gallery, examples, rest)),
  ]
  return { kind, ...Object.fromEntries(parts), ...(score && { score }) } as unknown as EmbeddedTuples
}

async function embedRows(
  embedder: Embedder,
  examples: Source,
  parts: readonly [string, Int32Array][],
): Promise<[string, Tensor][]> {
  const rows = Int32Array.from(new Set(parts.flatMap(([, each]) => Array.from(each)))).sort()
  const places = new Map(Array.from(rows, (row, place) => [row, place]))
  const { shape, data } = await embedder.embed(subset(examples, rows))
  const d = shape[1]!
  return parts.map(([name, each]) => {
    const picked = new Float32Array(each.length * d)
    each.forEach((row, i) => {
      const start = places.get(row)! * d
      picked.set((data as Float32Array).subarray(start, start + d), i * d)
    })
    return [name, { dtype: 'float32', shape: [each.length, d], data: picked }]
  })
}
