/** How `isometry train` is told to draw and to change the examples of a batch. */
import {
  type Augmentation,
  affine,
  augmentationsByName,
  compose,
  type DrawOptions,
  type Source,
} from '../data/index.ts'
import { UsageError } from '../errors.ts'

export interface BatchArguments {
  readonly augment?: boolean
  readonly augmentations?: readonly string[]
  readonly classWeighting: 'equal' | 'size' | 'squareRoot'
  readonly superClasses?: number
}

/** @throws UsageError if there is none of a name. */
export function augmentationOf({ augment, augmentations }: BatchArguments): Augmentation | undefined {
  if (!augmentations) return augment ? affine() : undefined
  const made = augmentations.map((name) => {
    const make = augmentationsByName.get(name)
    if (make) return make()
    throw new UsageError(
      `There is no augmentation ${name}. Choose among ${[...augmentationsByName.keys()].join(', ')}.`,
    )
  })
  return made.length === 1 ? made[0] : compose(...made)
}

/**
 * The super-class of a class is the folder above its own.
 *
 * @throws UsageError if they are asked for, and there are none.
 */
export function samplingOf(
  { classes }: Source,
  { classWeighting, superClasses }: BatchArguments,
): DrawOptions | undefined {
  if (classWeighting === 'equal' && superClasses === undefined) return undefined
  const of = classes.map((name) => name.split('/').slice(0, -1).join('/'))
  if (superClasses !== undefined && new Set(of).size < 2) {
    throw new UsageError('--super-classes needs folders above those of the classes, as birds/robin. Leave it out.')
  }
  return {
    ...(classWeighting !== 'equal' && { weighting: classWeighting }),
    ...(superClasses !== undefined && { superClasses: { of, perBatch: superClasses } }),
  }
}
