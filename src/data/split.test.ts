import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../errors.ts'
import { itemsOf, type Source } from './source.ts'
import { holdOutClasses, holdOutExamples } from './split.ts'
import { vectors } from './vectors.ts'

/** Vectors of one number, their row, which is their name too; `sizes[i]` of them in class `i`, and some without a class. */
function labelled(sizes: readonly number[], unlabelled = 0): Source {
  const labels = [...sizes.flatMap((size, i) => Array(size).fill(`class ${i}`)), ...Array(unlabelled).fill(null)]
  const rows = [...labels.keys()]
  return vectors(Float32Array.from(rows), { dimension: 1, labels, names: rows.map(String) })
}

const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 12 })
const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true })

describe('holdOutClasses', () => {
  test('parts whole classes as many as asked for, or explains why not', () => {
    fc.assert(
      fc.property(sizes, fc.nat(3), fraction, fc.integer(), (sizes, unlabelled, fraction, seed) => {
        const images = labelled(sizes, unlabelled)
        const eligible = sizes.filter((size) => size >= 2).length
        const count = Math.max(1, Math.round(fraction * eligible))
        if (eligible - count < 2) {
          expect(() => holdOutClasses(images, fraction, seed)).toThrow(DataError)
          return
        }
        const { training, heldOut } = holdOutClasses(images, fraction, seed)
        expect(heldOut.classes.length).toBe(count)
        expect([...training.classes, ...heldOut.classes].sort()).toEqual(images.classes)
        for (const part of [training, heldOut]) expect(part.labels).not.toContain(-1)
        for (const [label] of heldOut.classes.entries())
          expect(heldOut.labels.filter((other) => other === label).length).toBeGreaterThanOrEqual(2)

        const rows = [training, heldOut].flatMap((part) => itemsOf(part).map(Number))
        expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: images.length - unlabelled }, (_, row) => row))
      }),
    )
  })

  test('follows the seed', () => {
    const images = labelled(Array(30).fill(2))
    const chosen = (seed: number) => holdOutClasses(images, 0.3, seed).heldOut.classes
    expect(chosen(1)).toEqual(chosen(1))
    expect(chosen(1)).not.toEqual(chosen(2))
    expect(holdOutClasses(images, 0.3, 1).training.fingerprint).toBe(
      holdOutClasses(images, 0.3, 1).training.fingerprint,
    )
  })

  test('chooses each class about equally often', () => {
    const images = labelled(Array(4).fill(2))
    const times = new Map<string, number>()
    for (let seed = 0; seed < 1000; seed++)
      for (const name of holdOutClasses(images, 0.25, seed).heldOut.classes) times.set(name, (times.get(name) ?? 0) + 1)
    for (const count of times.values()) expect(Math.abs(count - 250)).toBeLessThan(60)
    expect(times.size).toBe(4)
  })

  test('keeps the order of the images', () => {
    const { training, heldOut } = holdOutClasses(labelled([2, 3, 2, 4]), 0.5, 7)
    for (const part of [training, heldOut])
      expect(itemsOf(part).map(Number)).toEqual(
        itemsOf(part)
          .map(Number)
          .sort((a, b) => a - b),
      )
  })

  test('says what is missing and what to do', () => {
    expect(() => holdOutClasses(labelled([2, 2, 1], 5), 0.2, 0)).toThrow(
      /^Classes with at least two images: 2, too few to hold out 1 and keep at least 2 .*--validation.*--hold-out-classes 0/,
    )
  })

  test('refuses a fraction that is none', () => {
    for (const bad of [0, 1, -0.1, 2, Number.NaN])
      expect(() => holdOutClasses(labelled([2, 2, 2]), bad, 0)).toThrow(UsageError)
  })
})

describe('holdOutExamples', () => {
  test('takes the share of each class, and leaves two of each to train on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
        fraction,
        fc.integer(),
        (sizes, fraction, seed) => {
          const source = labelled(sizes, 2)
          if (Math.max(...sizes) < 3) {
            expect(() => holdOutExamples(source, fraction, seed)).toThrow(DataError)
            return
          }
          const { training, heldOut } = holdOutExamples(source, fraction, seed)
          const countIn = (part: Source, name: string) =>
            part.labels.filter((label) => part.classes[label] === name).length
          for (const [i, size] of sizes.entries()) {
            const held = Math.max(0, Math.min(Math.max(1, Math.round(fraction * size)), size - 2))
            expect([countIn(heldOut, `class ${i}`), countIn(training, `class ${i}`)]).toEqual([held, size - held])
          }
          const rows = [training, heldOut].flatMap((part) => itemsOf(part).map(Number))
          expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: source.length - 2 }, (_, row) => row))
        },
      ),
    )
  })

  test('follows the seed, and refuses a fraction that is none', () => {
    const source = labelled([20, 20])
    const chosen = (seed: number) => itemsOf(holdOutExamples(source, 0.3, seed).heldOut)
    expect(chosen(1)).toEqual(chosen(1))
    expect(chosen(1)).not.toEqual(chosen(2))
    for (const fraction of [0, 1, Number.NaN]) expect(() => holdOutExamples(source, fraction, 0)).toThrow(UsageError)
  })
})
