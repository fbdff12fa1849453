import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import { tupleSampler } from './tuple-sampler.ts'
import { holdOutTuples, pickTuples, type TupleMembers, tuples } from './tuples.ts'
import { vectors } from './vectors.ts'

const examples = vectors(Float32Array.of(0, 1, 2, 3, 4), { dimension: 1, names: ['a', 'b', 'c', 'd', 'e'] })
const triplets = { anchor: [0, 1, 0], positive: [1, 0, 2], negative: [3, 4, 4] }

test('members are rows, or the names of items; anchors come first', () => {
  const byRow = tuples(examples, { negative: [3, 4], anchor: [0, 1], positive: [1, 0] })
  const byName = tuples(examples, { anchor: ['a', 'b'], positive: ['b', 'a'], negative: ['d', 'e'] })
  expect(byRow).toMatchObject({ kind: 'tuples', length: 2, input: { kind: 'vector', dimension: 1 } })
  expect(Object.keys(byRow.members)).toEqual(['anchor', 'positive', 'negative'])
  expect(byRow.members).toEqual(byName.members)
  expect(byRow.fingerprint).toBe(byName.fingerprint)
})

test('what they are follows from their parts', () => {
  expect(tuples(examples, { anchor: [0], positive: [1] }).kind).toBe('pairs')
  expect(Object.keys(tuples(examples, { ...triplets, secondNegative: [2, 2, 3] }).members)).toHaveLength(4)
  const graded = tuples(examples, { a: [0, 1], b: [1, 2], score: [0.1, 1] })
  expect(graded.kind).toBe('graded')
  expect(graded.score).toEqual(Float32Array.of(0.1, 1))
})

test('the fingerprint changes with members, parts, scores and examples', () => {
  const others = vectors(Float32Array.of(0, 1, 2, 3, 5), { dimension: 1 })
  const prints = [
    tuples(examples, triplets),
    tuples(examples, { ...triplets, negative: [3, 4, 3] }),
    tuples(examples, { anchor: [0, 1, 0], positive: [1, 0, 2] }),
    tuples(others, triplets),
    tuples(examples, { a: [0], b: [1], score: [0] }),
    tuples(examples, { a: [0], b: [1], score: [1] }),
    pickTuples(tuples(examples, triplets), [1, 0, 2]),
  ].map(({ fingerprint }) => fingerprint)
  expect(new Set(prints).size).toBe(prints.length)
})

test('some are picked in the order given', () => {
  const some = pickTuples(tuples(examples, triplets), [2, 0])
  expect(some.members).toEqual({
    anchor: Int32Array.of(0, 0),
    positive: Int32Array.of(2, 1),
    negative: Int32Array.of(4, 3),
  })
  expect([...pickTuples(tuples(examples, { a: [0, 1], b: [1, 2], score: [1, 2] }), [1]).score!]).toEqual([2])
})

test('held-out tuples are those of other anchors', () => {
  const rows = Array.from({ length: 60 }, (_, i) => i % 5)
  const all = tuples(examples, { anchor: rows, positive: rows })
  for (const share of [0.01, 0.4, 0.99]) {
    const { training, heldOut } = holdOutTuples(all, share, 3)
    const [seen, held] = [training, heldOut].map(({ members }) => new Set(members.anchor))
    expect(training.length + heldOut.length).toBe(60)
    expect([...seen!].some((anchor) => held!.has(anchor))).toBe(false)
    expect(held!.size).toBe({ 0.01: 1, 0.4: 2, 0.99: 4 }[share])
    expect(holdOutTuples(all, share, 3).heldOut.fingerprint).toBe(heldOut.fingerprint)
  }
})

describe('refuses', () => {
  test.each<[string, () => unknown, typeof DataError | typeof UsageError, RegExp]>([
    ['no tuples', () => tuples(examples, { anchor: [], positive: [] }), DataError, /no tuples/],
    [
      'other lengths',
      () => tuples(examples, { anchor: [0, 1], positive: [1] }),
      DataError,
      /1 of positive for 2 of anchor/,
    ],
    ['a lost score', () => tuples(examples, { a: [0, 1], b: [1, 1], score: [1] }), DataError, /1 of score for 2 of a/],
    [
      'NaN',
      () => tuples(examples, { a: [0, 1], b: [1, 1], score: [1, Number.NaN] }),
      DataError,
      /score of tuple 1 is NaN/,
    ],
    [
      'a row',
      () => tuples(examples, { anchor: [5], positive: [0] }),
      UsageError,
      /no row 5 \(anchor\): the rows are 0 to 4/,
    ],
    [
      'items',
      () => tuples(examples, { anchor: ['a', 'v', 'w', 'x', 'y'], positive: ['a', 'a', 'a', 'a', 'a'] }),
      DataError,
      /Of anchor, 4 are not among the examples: v, w, x, …/,
    ],
    [
      'no positive',
      () => tuples(examples, { anchor: [0] } as unknown as TupleMembers),
      UsageError,
      /parts anchor; expected/,
    ],
    [
      'one anchor',
      () => holdOutTuples(tuples(examples, { anchor: [0], positive: [1] }), 0.5, 0),
      DataError,
      /same anchor/,
    ],
    ['a share', () => holdOutTuples(tuples(examples, triplets), 1, 0), UsageError, /must lie between 0 and 1/],
  ])('%s', (_, make, type, message) => {
    expect(make).toThrow(type)
    expect(make).toThrow(message)
  })
})

test('a sampler takes each tuple once before any comes again, and none twice in a batch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer(),
      (length, size, seed) => {
        const sampler = tupleSampler(length, { tuplesPerBatch: size, seed, warn: () => {} })
        const again = tupleSampler(length, { tuplesPerBatch: size, seed, warn: () => {} })
        expect(sampler.tuples).toBe(Math.min(size, length))
        const inPass = Math.floor(length / sampler.tuples)
        for (let pass = 0; pass < 3; pass++) {
          const seen = Array.from({ length: inPass }, () => [...sampler.next()]).flat()
          expect(new Set(seen).size).toBe(inPass * sampler.tuples)
          expect(seen.every((place) => place >= 0 && place < length)).toBe(true)
          expect(Array.from({ length: inPass }, () => [...again.next()]).flat()).toEqual(seen)
        }
      },
    ),
  )
  const warnings: string[] = []
  tupleSampler(3, { tuplesPerBatch: 8, seed: 0, warn: (message) => warnings.push(message) })
  expect(warnings).toEqual(['Each batch has 3 tuples, not 8: there are no more'])
  expect(() => tupleSampler(3, { tuplesPerBatch: 0, seed: 0 })).toThrow(UsageError)
})
