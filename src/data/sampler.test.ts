import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import type { ClassWeighting } from './draw-classes.ts'
import { classSampler } from './sampler.ts'

const silent = { warn: () => {} }
const count = <T>(items: Iterable<T>) => {
  const times = new Map<T, number>()
  for (const item of items) times.set(item, (times.get(item) ?? 0) + 1)
  return times
}
const spread = (times: Map<unknown, number>) => Math.max(...times.values()) - Math.min(...times.values())

/** Labels of which at least two classes are usable, in any order, with gaps and rows without a class. */
const labels = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 8 }),
    fc.tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 2, max: 7 })),
    fc.nat(4),
  )
  .chain(([some, usable, unlabelled]) => {
    const sizes = [...some, ...usable]
    const labels = [
      ...sizes.flatMap((size, i) => Array<number>(size).fill(3 * i)),
      ...Array<number>(unlabelled).fill(-1),
    ]
    return fc
      .shuffledSubarray(
        labels.map((_, i) => i),
        { minLength: labels.length },
      )
      .map((order) => order.map((i) => labels[i]!))
  })
  .map((list) => Int32Array.from(list))
const options = fc.record({
  classesPerBatch: fc.integer({ min: 2, max: 9 }),
  perClass: fc.integer({ min: 2, max: 9 }),
  seed: fc.integer(),
})

describe('classSampler', () => {
  test('fills each batch class by class, equally often over time', () => {
    fc.assert(
      fc.property(labels, options, fc.integer({ min: 1, max: 25 }), (labels, options, batches) => {
        const sampler = classSampler(labels, { ...options, ...silent })
        const sizes = count(labels)
        const usable = [...sizes].filter(([label, size]) => label !== -1 && size >= 2).map(([label]) => label)
        const { perClass } = options
        expect(sampler.classes).toBe(Math.min(options.classesPerBatch, usable.length))
        expect(sampler.perClass).toBe(perClass)
        expect(sampler.rows).toBe(sampler.classes * perClass)

        const ofClass = new Map(usable.map((label) => [label, 0]))
        const ofRow = new Map<number, number>()
        labels.forEach((label, row) => {
          if (usable.includes(label)) ofRow.set(row, 0)
        })
        for (let batch = 0; batch < batches; batch++) {
          const rows = sampler.next()
          expect(rows).toHaveLength(sampler.rows)
          const seen = new Set<number>()
          for (let start = 0; start < rows.length; start += perClass) {
            const group = rows.subarray(start, start + perClass)
            const label = labels[group[0]!]!
            expect(group.every((row) => labels[row] === label)).toBe(true)
            expect(usable).toContain(label)
            expect(seen).not.toContain(label)
            seen.add(label)
            // Each example at least once before any comes again, the same within every further round.
            const size = sizes.get(label)!
            for (let round = 0; round < perClass; round += size) {
              const once = group.subarray(round, round + size)
              expect(new Set(once).size).toBe(once.length)
            }
            ofClass.set(label, ofClass.get(label)! + 1)
            for (const row of group) ofRow.set(row, ofRow.get(row)! + 1)
          }
          expect(spread(ofClass)).toBeLessThanOrEqual(1)
          for (const label of usable)
            expect(spread(new Map([...ofRow].filter(([row]) => labels[row] === label)))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test('repeats with the seed, and only with it', () => {
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 20)
    const draw = (seed: number) => {
      const sampler = classSampler(labels, { classesPerBatch: 4, perClass: 3, seed })
      return Array.from({ length: 10 }, () => [...sampler.next()])
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(count(draw(1).map(String)).size).toBe(10)
  })

  test('puts classes together by chance, across the end of an epoch too', () => {
    // Six classes by fours: the second batch of each round starts with what the first deck left.
    const sampler = classSampler(
      Int32Array.from({ length: 12 }, (_, i) => i % 6),
      { classesPerBatch: 4, perClass: 2, seed: 5 },
    )
    const pairs = new Map<string, number>()
    for (let batch = 0; batch < 1500; batch++) {
      const classes = [...new Set([...sampler.next()].map((row) => row % 6))].sort()
      for (const a of classes)
        for (const b of classes) if (a < b) pairs.set(`${a} ${b}`, (pairs.get(`${a} ${b}`) ?? 0) + 1)
    }
    expect(pairs.size).toBe(15)
    for (const times of pairs.values()) expect(Math.abs(times - 600)).toBeLessThan(60)
  })

  test('warns once when there are fewer classes than asked for', () => {
    const warnings: string[] = []
    const warn = (message: string) => warnings.push(message)
    const sampler = classSampler(Int32Array.of(0, 0, 1, 1, 2, -1, -1), {
      classesPerBatch: 8,
      perClass: 2,
      seed: 0,
      warn,
    })
    for (let i = 0; i < 3; i++) expect([...sampler.next()].sort()).toEqual([0, 1, 2, 3])
    expect(warnings).toEqual(['Each batch has 2 classes, not 8: no more of 3 have at least two examples'])

    classSampler(Int32Array.of(0, 0, 1, 1), { classesPerBatch: 2, perClass: 2, seed: 0, warn })
    expect(warnings).toHaveLength(1)
  })

  test('refuses labels with fewer than two usable classes, and says how many there are', () => {
    const options = { classesPerBatch: 2, perClass: 2, seed: 0 }
    for (const [labels, usable] of [
      [[], 0],
      [[-1, -1, 0, 1, 2], 0],
      [[-1, -1, 0, 0, 1], 1],
    ] as const) {
      const sample = () => classSampler(Int32Array.from(labels), options)
      expect(sample).toThrow(DataError)
      expect(sample).toThrow(`Classes with at least two examples: ${usable} of `)
    }
  })

  test('refuses batches that hold no triplet', () => {
    const labels = Int32Array.of(0, 0, 1, 1)
    for (const bad of [1, 0, -2, 2.5, Number.NaN]) {
      expect(() => classSampler(labels, { classesPerBatch: bad, perClass: 2, seed: 0 })).toThrow(UsageError)
      expect(() => classSampler(labels, { classesPerBatch: 2, perClass: bad, seed: 0 })).toThrow(/^perClass is/)
    }
  })
})

describe('weighted', () => {
  /** Three classes of 2, 8 and 32 examples, and how often each is in a batch of two classes. */
  const uneven = Int32Array.from([...Array(2).fill(0), ...Array(8).fill(1), ...Array(32).fill(2)])
  const shares = (weighting: ClassWeighting) => {
    const sampler = classSampler(uneven, { classesPerBatch: 2, perClass: 2, seed: 5, weighting, ...silent })
    const times = [0, 0, 0]
    for (let batch = 0; batch < 6000; batch++) {
      for (const label of new Set(Array.from(sampler.next(), (row) => uneven[row]!))) times[label]!++
    }
    return times.map((each) => each / 6000)
  }
  /** Of two drawn one after the other without replacement, in proportion to the weights. */
  const expected = (weights: readonly number[]) => {
    const total = weights.reduce((sum, each) => sum + each, 0)
    return weights.map((weight, i) => {
      const second = weights.reduce(
        (sum, first, j) => (j === i ? sum : sum + (first / total) * (weight / (total - first))),
        0,
      )
      return weight / total + second
    })
  }

  test.each<[ClassWeighting, readonly number[]]>([
    ['equal', [1, 1, 1]],
    ['size', [2, 8, 32]],
    ['squareRoot', [Math.sqrt(2), Math.sqrt(8), Math.sqrt(32)]],
    [
      [5, 1, 1],
      [5, 1, 1],
    ],
  ])('by %j', (weighting, weights) => {
    const wanted = expected(weights)
    for (const [i, share] of shares(weighting).entries()) expect(Math.abs(share - wanted[i]!)).toBeLessThan(0.025)
  })

  test('refuses weights that are none', () => {
    const options = { classesPerBatch: 2, perClass: 2, seed: 0, ...silent }
    for (const weighting of [
      [1, 0, 1],
      [1, 1],
      [1, Number.NaN, 1],
    ])
      expect(() => classSampler(uneven, { ...options, weighting })).toThrow(
        /has the weight .*expected a number above 0/,
      )
  })
})

describe('hierarchical', () => {
  /** Twelve classes in four super-classes of 5, 4, 2 and 1. */
  const of = [...Array(5).fill('a'), ...Array(4).fill('b'), ...Array(2).fill('c'), 'd']
  const labels = Int32Array.from({ length: 36 }, (_, row) => row % 12)
  const groupsIn = (rows: Int32Array) =>
    count([...new Set(Array.from(rows, (row) => labels[row]!))].map((label) => of[label] as string))

  test('a batch takes its classes from few super-classes, in equal parts as far as they go', () => {
    const superClasses = { of, perBatch: 2 }
    const sampler = classSampler(labels, { classesPerBatch: 4, perClass: 2, seed: 1, superClasses, ...silent })
    const times = new Map<string, number>()
    for (let batch = 0; batch < 400; batch++) {
      const rows = sampler.next()
      expect(rows).toHaveLength(8)
      const groups = groupsIn(rows)
      expect([...groups.values()].reduce((sum, each) => sum + each, 0)).toBe(4)
      if (!groups.has('d')) expect([...groups.values()]).toEqual([2, 2])
      for (const group of groups.keys()) times.set(group, (times.get(group) ?? 0) + 1)
    }
    expect([...times.keys()].sort()).toEqual(['a', 'b', 'c', 'd'])
    for (const name of ['a', 'b', 'c']) expect(times.get(name)!).toBeGreaterThan(150)
  })

  test('all batches are of one size, even where super-classes are small', () => {
    const superClasses = { of, perBatch: 1 }
    const sampler = classSampler(labels, { classesPerBatch: 7, perClass: 2, seed: 1, superClasses, ...silent })
    for (let batch = 0; batch < 50; batch++) {
      expect(new Set(Array.from(sampler.next(), (row) => labels[row]!)).size).toBe(7)
    }
    expect(() =>
      classSampler(labels, { classesPerBatch: 2, perClass: 2, seed: 1, superClasses: { of, perBatch: 0 } }),
    ).toThrow(UsageError)
  })
})

describe('classes too small', () => {
  test('are told, with how many there are', () => {
    const warnings: string[] = []
    const few = Int32Array.from([0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 5])
    classSampler(few, { classesPerBatch: 8, perClass: 4, seed: 0, warn: (message) => warnings.push(message) })
    expect(warnings).toEqual([
      'Each batch has 3 classes, not 8: no more of 6 have at least two examples',
      expect.stringMatching(/^Of 3 classes, 2 have fewer than 4 examples.*Take fewer of each class/),
    ])
    expect(() => classSampler(Int32Array.of(0, 0, 1, 2, 3), { classesPerBatch: 2, perClass: 2, seed: 0 })).toThrow(
      /at least two examples: 1 of 4, but training needs 2/,
    )
  })
})
