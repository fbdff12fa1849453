/** Examples that are compared as somebody has said: triplets, quadruplets, pairs, pairs with a score. */
import { createHash } from 'node:crypto'
import { DataError, UsageError } from '../errors.ts'
import type { Input } from '../inputs/input.ts'
import { random } from '../random.ts'
import { itemsOf, type Source } from './source.ts'

/** Rows of a source, or what its items are called. */
export type Members = ArrayLike<number> | readonly string[]

/** For each triplet its three members; with a second negative, quadruplets. Without a negative, pairs that belong together. */
export interface TupleMembers {
  readonly anchor: Members
  readonly positive: Members
  readonly negative?: Members | undefined
  /** Of a third class; for losses over quadruplets. */
  readonly secondNegative?: Members | undefined
  readonly score?: undefined
}

/** Pairs with how similar they are. */
export interface GradedMembers {
  readonly a: Members
  readonly b: Members
  /** Larger for more similar: 0 and 1, or any grades. */
  readonly score: ArrayLike<number>
}

/** Tuples over the examples of a source, which are held once however many tuples they are in. */
export interface Tuples<Form extends Input = Input> {
  /** What a loss makes of them: triplets and quadruplets are `tuples`, pairs with a score `graded`. */
  readonly kind: 'tuples' | 'pairs' | 'graded'
  readonly input: Form
  readonly length: number
  /** What the members are rows of. */
  readonly examples: Source<Form>
  /** The members by their part, the anchors (or `a`) first: each [length]. */
  readonly members: Readonly<Record<string, Int32Array>>
  /** [length], of graded pairs. */
  readonly score?: Float32Array | undefined
  /** Identifies the examples and the tuples of them. */
  readonly fingerprint: string
}

/**
 * Tuples of the examples of a source, by their rows or by the names of its items (the paths of images).
 *
 * @throws DataError if there is no tuple, the parts differ in length, an item is not in the source, or a score is not finite;
 *   UsageError if a row is not in the source, or parts are missing.
 */
export function tuples<Form extends Input>(examples: Source<Form>, given: TupleMembers | GradedMembers): Tuples<Form> {
  const { score, ...parts } = given
  const named = Object.entries(parts).filter((part): part is [string, Members] => part[1] !== undefined)
  const kind = score ? 'graded' : 'negative' in parts && parts.negative ? 'tuples' : 'pairs'
  checkParts(
    named.map(([name]) => name),
    kind,
  )
  const length = named[0]![1].length
  for (const [name, { length: found }] of [...named, ...(score ? [['score', score] as const] : [])]) {
    if (found !== length) {
      throw new DataError(
        `There are ${found} of ${name} for ${length} of ${named[0]![0]}; expected one for each tuple.`,
      )
    }
  }
  if (length === 0) throw new DataError('There are no tuples. Give one at least.')
  const bad = score ? Array.prototype.findIndex.call(score, (each) => !Number.isFinite(each)) : -1
  if (bad >= 0) throw new DataError(`The score of tuple ${bad} is ${score![bad]}; expected a finite number.`)

  const rowsOf = finder(examples)
  const members = Object.fromEntries(named.map(([name, each]) => [name, rowsOf(name, each)]))
  return made(examples, kind, members, score && Float32Array.from(score))
}

/** The tuples at these places, in the order given. */
export function pickTuples<Form extends Input>(all: Tuples<Form>, places: ArrayLike<number>): Tuples<Form> {
  const pick = (values: Int32Array) => Int32Array.from(places, (place) => values[place]!)
  const members = Object.fromEntries(Object.entries(all.members).map(([name, rows]) => [name, pick(rows)]))
  return made(all.examples, all.kind, members, all.score && Float32Array.from(places, (place) => all.score![place]!))
}

/**
 * Holds out tuples, chosen by the seed: those of about this share of the anchors, so that tuples of one anchor stay together.
 * Other members may be in both parts.
 *
 * @throws UsageError unless the share lies between 0 and 1; DataError unless there are two anchors.
 */
export function holdOutTuples<Form extends Input>(
  all: Tuples<Form>,
  share: number,
  seed: number,
): { training: Tuples<Form>; heldOut: Tuples<Form> } {
  if (!(share > 0 && share < 1)) {
    throw new UsageError(`The share of tuples to hold out is ${share}: it must lie between 0 and 1, both excluded`)
  }
  const [anchorOf] = Object.values(all.members) as [Int32Array]
  const anchors = [...new Set(anchorOf)]
  if (anchors.length < 2) {
    throw new DataError('All tuples have the same anchor, so none can be held out. Give tuples of another anchor.')
  }
  const count = Math.min(Math.max(1, Math.round(share * anchors.length)), anchors.length - 1)
  const chosen = new Set(random(seed, 'hold-out').shuffle(anchors).slice(0, count))
  const places = Array.from(anchorOf.keys())
  return {
    training: pickTuples(
      all,
      places.filter((place) => !chosen.has(anchorOf[place]!)),
    ),
    heldOut: pickTuples(
      all,
      places.filter((place) => chosen.has(anchorOf[place]!)),
    ),
  }
}

const partsOf = {
  tuples: ['anchor', 'positive', 'negative'],
  pairs: ['anchor', 'positive'],
  graded: ['a', 'b'],
}

function checkParts(found: readonly string[], kind: Tuples['kind']): void {
  const expected = partsOf[kind]
  const extra = found.filter((name) => !expected.includes(name) && !(kind === 'tuples' && name === 'secondNegative'))
  if (extra.length === 0 && expected.every((name) => found.includes(name))) return
  throw new UsageError(
    `Tuples have the parts ${found.join(', ')}${kind === 'graded' ? ', score' : ''}; expected anchor and positive, with a negative and a secondNegative or not, or a, b and score.`,
  )
}

function made<Form extends Input>(
  examples: Source<Form>,
  kind: Tuples['kind'],
  members: Tuples['members'],
  score: Float32Array | undefined,
): Tuples<Form> {
  // The anchors first, whatever order the parts were given in.
  const order = [...partsOf[kind], 'secondNegative'].filter((name) => name in members)
  const ordered = Object.fromEntries(order.map((name) => [name, members[name]!]))
  const hash = createHash('sha256').update(`${kind} of ${examples.fingerprint}`)
  for (const [name, rows] of Object.entries(ordered)) hash.update(`\0${name}\0`).update(new Uint8Array(rows.buffer))
  if (score) hash.update(new Uint8Array(score.buffer))
  return {
    kind,
    input: examples.input,
    length: ordered[order[0]!]!.length,
    examples,
    members: ordered,
    ...(score && { score }),
    fingerprint: hash.digest('hex'),
  }
}

/** From members of a part to rows. */
function finder(examples: Source): (part: string, members: Members) => Int32Array {
  let places: Map<string, number> | undefined
  return (part, members) => {
    if (typeof members[0] !== 'string') {
      return Int32Array.from(members as ArrayLike<number>, (row) => {
        if (Number.isInteger(row) && row >= 0 && row < examples.length) return row
        throw new UsageError(`There is no row ${row} (${part}): the rows are 0 to ${examples.length - 1}`)
      })
    }
    places ??= new Map(itemsOf(examples).map((item, row) => [item, row]))
    const missing = [...new Set(members as readonly string[])].filter((item) => !places!.has(item))
    if (missing.length > 0) {
      throw new DataError(
        `Of ${part}, ${missing.length} are not among the examples: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}. Name items of the source as it does.`,
      )
    }
    return Int32Array.from(members as readonly string[], (item) => places!.get(item)!)
  }
}
