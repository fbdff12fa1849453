/** Which rows make up the next training batch: some classes, some examples of each. */
import { DataError, UsageError } from '../errors.ts'
import { random } from '../random.ts'
import { type DrawOptions, deck, drawClasses } from './draw-classes.ts'
import { rowsByClass } from './rows-by-class.ts'

export interface ClassSamplerOptions extends DrawOptions {
  /** Classes in a batch, at least 2. */
  readonly classesPerBatch: number
  /** Examples of each class in a batch, at least 2. */
  readonly perClass: number
  /** An integer: equal seeds give equal batches. */
  readonly seed: number
  /** Told when there are fewer classes than asked for; `console.warn` if left out. */
  readonly warn?: (message: string) => void
}

/** An endless supply of batches, all of one size. */
export interface ClassSampler {
  /** Rows in a batch: `classes` x `perClass`. */
  readonly rows: number
  readonly classes: number
  readonly perClass: number
  /** The rows of the next batch, `[rows]`, class by class. */
  next(): Int32Array
}

/**
 * Batches of `classesPerBatch` classes with `perClass` examples of each, drawn without replacement.
 *
 * Classes come up equally often whatever their size, unless they are weighted, and so do the examples within a class. No class is in a batch
 * twice, and no example unless its class has fewer than `perClass`: then each comes once before any comes again. A class
 * of one example has no positive, so it takes no part; nor does label -1. With fewer classes than `classesPerBatch`, all
 * of them make up each batch.
 *
 * @param labels `[n]`, the class of each row; -1 has none
 * @throws DataError if fewer than two classes have at least two examples
 * @throws UsageError if `classesPerBatch` or `perClass` is not an integer of at least 2
 */
export function classSampler(labels: Int32Array, options: ClassSamplerOptions): ClassSampler {
  const { classesPerBatch, perClass, seed, warn = console.warn } = options
  for (const [name, value] of Object.entries({ classesPerBatch, perClass }))
    if (!Number.isInteger(value) || value < 2)
      throw new UsageError(`${name} is ${value}: it must be an integer of at least 2, or a batch holds no triplet`)

  const all = rowsByClass(labels)
  const usable = [...all].filter(([, rows]) => rows.length >= 2)
  if (usable.length < 2)
    throw new DataError(
      `Classes with at least two examples: ${usable.length} of ${all.size}, but training needs 2, to compare examples of ` +
        'one class with examples of another. Add examples or classes',
    )
  if (usable.length < classesPerBatch)
    warn(
      `Each batch has ${usable.length} classes, not ${classesPerBatch}: no more of ${all.size} have at least two examples`,
    )
  const small = usable.filter(([, rows]) => rows.length < perClass).length
  if (2 * small > usable.length)
    warn(
      `Of ${usable.length} classes, ${small} have fewer than ${perClass} examples, so that most batches show some more than ` +
        'once. Take fewer of each class (perClass), or add examples',
    )

  const chance = random(seed, 'sampler')
  const classes = Math.min(classesPerBatch, usable.length)
  const drawn = drawClasses(
    usable.map(([label, rows]) => ({ label, size: rows.length, draw: deck(rows, chance) })),
    options,
    chance,
  )
  return {
    rows: classes * perClass,
    classes,
    perClass,
    next() {
      const batch: number[] = []
      for (const { size, draw } of drawn(classes))
        for (let missing = perClass; missing > 0; missing -= size) batch.push(...draw(Math.min(missing, size)))
      return Int32Array.from(batch)
    },
  }
}
