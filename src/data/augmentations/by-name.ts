/** Augmentations by the names that command lines use. */
import { affine, crop } from './affine.ts'
import type { Augmentation } from './augmentation.ts'
import { blur } from './blur.ts'
import { erase } from './erase.ts'
import { flip } from './flip.ts'
import { light } from './light.ts'

export const augmentationsByName: ReadonlyMap<string, () => Augmentation> = new Map([
  ['affine', () => affine()],
  ['crop', () => crop()],
  ['flip', () => flip()],
  ['light', () => light()],
  ['erase', () => erase()],
  ['blur', () => blur()],
])
