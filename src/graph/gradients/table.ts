/** The gradient rule of every operator that has one, by its ONNX name. */
import { activations } from './activations.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { linear } from './linear.ts'
import { movement } from './movement.ts'
import { normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { reduction } from './reduction.ts'
import type { Rules } from './rule.ts'

export const gradients: Rules = {
  ...elementwise,
  ...activations,
  ...reduction,
  ...linear,
  ...convolution,
  ...pooling,
  ...normalization,
  ...movement,
  ...indexing,
}
