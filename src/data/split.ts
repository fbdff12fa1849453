/** Splits: of an open set, whose held-out classes training never sees, and of a closed one, which knows all classes. */
import { DataError, UsageError } from '../errors.ts'
import type { Input } from '../inputs/input.ts'
import { random } from '../random.ts'
import { rowsByClass } from './rows-by-class.ts'
import { type Source, subset } from './source.ts'

/**
 * Holds out whole classes, chosen by the seed: max(1, round(`fraction` x the classes of at least two images)).
 *
 * A class of one image has nothing to be compared with, so it is never held out; it stays in `training`. Images without
 * a class are in neither part.
 *
 * @param fraction of the classes with at least two images, between 0 and 1, both excluded
 * @throws UsageError for another fraction
 * @throws DataError unless at least two classes of two images or more remain to train on
 */
export function holdOutClasses<Form extends Input>(
  source: Source<Form>,
  fraction: number,
  seed: number,
): { training: Source<Form>; heldOut: Source<Form> } {
  if (!(fraction > 0 && fraction < 1))
    throw new UsageError(
      `The fraction of classes to hold out is ${fraction}: it must lie between 0 and 1, both excluded`,
    )

  const eligible = [...rowsByClass(source.labels)].filter(([, rows]) => rows.length >= 2).map(([label]) => label)
  const count = Math.max(1, Math.round(fraction * eligible.length))
  if (eligible.length - count < 2)
    throw new DataError(
      `Classes with at least two images: ${eligible.length}, too few to hold out ${count} and keep at least 2 to train ` +
        'on. Add classes, hold out a smaller fraction, name other data to validate on (--validation), or hold out none ' +
        '(--hold-out-classes 0)',
    )

  const chosen = new Set(random(seed, 'hold-out').shuffle(eligible).slice(0, count))
  const training: number[] = []
  const heldOut: number[] = []
  source.labels.forEach((label, row) => {
    if (label !== -1) (chosen.has(label) ? heldOut : training).push(row)
  })
  return { training: subset(source, training), heldOut: subset(source, heldOut) }
}

/**
 * Holds out examples of every class, chosen by the seed: stratified, round(`fraction` x its examples) of each, and never all.
 * They are meant to be compared with the examples that remain. Examples without a class are in neither part.
 *
 * @throws UsageError unless the fraction lies between 0 and 1
 * @throws DataError if no class has examples enough to give one away and keep two
 */
export function holdOutExamples<Form extends Input>(
  source: Source<Form>,
  fraction: number,
  seed: number,
): { training: Source<Form>; heldOut: Source<Form> } {
  if (!(fraction > 0 && fraction < 1))
    throw new UsageError(
      `The fraction of examples to hold out is ${fraction}: it must lie between 0 and 1, both excluded`,
    )

  const chance = random(seed, 'hold-out')
  const classes = [...rowsByClass(source.labels).values()]
  const chosen = new Set(
    classes.flatMap((rows) => {
      const count = Math.min(Math.max(1, Math.round(fraction * rows.length)), rows.length - 2)
      return chance.shuffle(rows).slice(0, Math.max(0, count))
    }),
  )
  if (chosen.size === 0)
    throw new DataError(
      'No class has three examples, so that none can be held out while two remain to train on. Add examples, or name other ' +
        'data to validate on (--validation)',
    )
  const training: number[] = []
  const heldOut: number[] = []
  source.labels.forEach((label, row) => {
    if (label !== -1) (chosen.has(row) ? heldOut : training).push(row)
  })
  return { training: subset(source, training), heldOut: subset(source, heldOut) }
}
