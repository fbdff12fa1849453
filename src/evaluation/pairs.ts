/** The distances of all pairs of one class and of different ones, in order, without holding all that there are. */
import type { Metric } from '../metrics/metric.ts'
import type { Random } from '../random.ts'
import type { ComputeOptions } from '../runtime/session.ts'
import { pick } from '../search/matrix.ts'
import { openDistances } from './distances.ts'
import { type Comparison, sameGroup } from './embedded.ts'

/** Pairs in the order of their distances: several may lie at one place. */
export interface Places {
  /** Ascending, in the metric's unit. */
  readonly distances: Float32Array
  /** How many pairs of one class, and of different ones, are at each place. */
  readonly same: Float64Array
  readonly different: Float64Array
}

export interface Pairs {
  readonly places: Places
  /** Whether each place is one pair; false where each is a small range, and holds all pairs up to its distance. */
  readonly exact: boolean
  /** The pairs as they are if items are drawn anew. Two items in one share of them are drawn together. */
  resample(random: Random): Places
}

/** Up to so many pairs, each is kept; beyond, so many are drawn for resampling, and all are counted in ranges. */
const KEPT = 2 ** 21
/** Items are drawn in so many shares. */
const SHARES = 64
const CODES = 2 * SHARES * SHARES
/** Of the 32 bits of a distance, so many tell its range: a 2,048th of its value or less. */
const BITS = 20

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** A number that is greater where the distance is. */
function keyOf(distance: number): number {
  float[0] = distance + 0
  const found = bits[0]!
  return (found & 0x80000000) !== 0 ? ~found >>> 0 : (found | 0x80000000) >>> 0
}

function distanceOf(key: number): number {
  bits[0] = (key & 0x80000000) !== 0 ? key & 0x7fffffff : ~key
  return float[0]!
}

/** Every pair once: those of two classless items, and of items of one group, are left out. */
export async function collectPairs(
  comparison: Comparison,
  metric: Metric,
  random: Random,
  compute: ComputeOptions,
): Promise<Pairs> {
  const { queries, gallery, own } = comparison
  const rows = labelled(queries.labels)
  const columns = labelled(gallery.labels)
  const most = own ? (rows.length * (rows.length - 1)) / 2 : rows.length * columns.length
  const exact = most <= KEPT
  const kept = exact ? 1 : KEPT / most
  const shareOfRow = shares(rows.length, random)
  const shareOfColumn = own ? shareOfRow : shares(columns.length, random)
  const numbers = new Map<string | number | null, number>()
  const classOf = (label: string | number | null) => {
    if (!numbers.has(label)) numbers.set(label, numbers.size)
    return numbers.get(label)!
  }
  const rowClass = Int32Array.from(rows, (row) => classOf(queries.labels[row]!))
  const columnClass = Int32Array.from(columns, (column) => classOf(gallery.labels[column]!))
  const grouped = queries.groups !== undefined && gallery.groups !== undefined

  // A packed pair is its key, the shares of both items, and whether they are of one class.
  let packed = new Float64Array(Math.min(most, KEPT + 8 * Math.ceil(Math.sqrt(KEPT))))
  let length = 0
  const counts = exact ? undefined : { same: new Float64Array(2 ** BITS), different: new Float64Array(2 ** BITS) }
  const distances = openDistances(metric, compute)
  try {
    for await (const block of distances.blocks(pick(queries.embeddings, rows), pick(gallery.embeddings, columns))) {
      for (let i = 0; i < block.rows; i++) {
        const row = block.start + i
        for (let column = own ? row + 1 : 0; column < columns.length; column++) {
          if (grouped && sameGroup(comparison, rows[row]!, columns[column]!)) continue
          const key = keyOf(block.distances[i * columns.length + column]!)
          const same = rowClass[row] === columnClass[column] ? 1 : 0
          if (counts) counts[same ? 'same' : 'different'][key >>> (32 - BITS)]!++
          if (length === packed.length || (!exact && random.uniform(0, 1) >= kept)) continue
          packed[length++] = key * CODES + (shareOfRow[row]! * SHARES + shareOfColumn[column]!) * 2 + same
        }
      }
    }
  } finally {
    await distances.release()
  }
  packed = packed.subarray(0, length).sort()
  const ordered = new Float32Array(length)
  const codes = new Uint16Array(length)
  for (let i = 0; i < length; i++) {
    const key = Math.floor(packed[i]! / CODES)
    ordered[i] = distanceOf(key)
    codes[i] = packed[i]! - key * CODES
  }
  return {
    exact,
    places: counts ? placesOfRanges(counts) : placesOf(ordered, codes, () => 1),
    resample(again) {
      const first = drawShares(Math.min(SHARES, rows.length), again)
      const second = own ? first : drawShares(Math.min(SHARES, columns.length), again)
      return placesOf(ordered, codes, (shares) => first[Math.floor(shares / SHARES)]! * second[shares % SHARES]!)
    },
  }
}

function labelled(labels: readonly (string | number | null)[]): Int32Array {
  return Int32Array.from(labels.flatMap((label, row) => (label === null ? [] : [row])))
}

/** Each item's share, as equal in size as can be. */
function shares(items: number, { shuffle }: Random): Int32Array {
  return Int32Array.from(shuffle(Array.from({ length: items }, (_, i) => i % SHARES)))
}

function drawShares(count: number, { integer }: Random): Float64Array {
  const drawn = new Float64Array(SHARES)
  for (let i = 0; i < count; i++) drawn[integer(count)]!++
  return drawn
}

/** Each pair at its distance, counted as often as its items' shares were drawn. */
function placesOf(distances: Float32Array, codes: Uint16Array, weightOf: (shares: number) => number): Places {
  const weights = Float64Array.from({ length: CODES / 2 }, (_, shares) => weightOf(shares))
  const same = new Float64Array(codes.length)
  const different = new Float64Array(codes.length)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    const counts = (code & 1) === 1 ? same : different
    counts[i] = weights[code >>> 1]!
  }
  return { distances, same, different }
}

/** The ranges that hold a pair, by their greatest distances. */
function placesOfRanges(counts: { same: Float64Array; different: Float64Array }): Places {
  const held = Array.from(counts.same.keys()).filter((range) => counts.same[range]! + counts.different[range]! > 0)
  return {
    distances: Float32Array.from(held, (range) => distanceOf((((range + 1) << (32 - BITS)) - 1) >>> 0)),
    same: Float64Array.from(held, (range) => counts.same[range]!),
    different: Float64Array.from(held, (range) => counts.different[range]!),
  }
}
