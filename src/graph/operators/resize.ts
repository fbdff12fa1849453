/** Resampling by factors or to sizes. */
import { GraphError } from '../../errors.ts'
import { describe } from '../../tensor.ts'
import { type Attributes, type Infer, type InputType, integers, normalizeAxis, required } from './operator.ts'

/** What happens to each axis: to which extent, by which factor, and whether it was the extent that was given. */
export interface Resized {
  readonly extent: number
  readonly factor: number
  readonly isSize: boolean
}

/** Of a Resize node's inputs: x, an unused region, factors, sizes; one of the last two is given. */
export function resizedAxes(inputs: readonly (InputType | undefined)[], attributes: Attributes): Resized[] {
  const x = required(inputs, 0)
  const rank = x.shape.length
  const axes = ((attributes.axes as readonly number[] | undefined) ?? x.shape.map((_, i) => i)).map((axis) =>
    normalizeAxis(axis, rank),
  )
  const policy = attributes.keep_aspect_ratio_policy ?? 'stretch'
  if (policy !== 'stretch') throw new GraphError(`keep_aspect_ratio_policy is ${policy}; only stretch is supported`)
  const isGiven = (input: InputType | undefined) => input !== undefined && input.data?.length !== 0
  const isSize = isGiven(inputs[3])
  const which = isSize ? 3 : 2
  const numbers = integers(inputs, which)
  if (numbers.length !== axes.length || !numbers.every((each) => each > 0)) {
    const what = isSize ? 'sizes' : 'factors'
    throw new GraphError(`${describe(x)} needs ${axes.length} ${what} above 0, found ${numbers.join(', ') || 'none'}`)
  }
  return x.shape.map((before, axis) => {
    const given = numbers[axes.indexOf(axis)]
    if (given === undefined) return { extent: before, factor: 1, isSize }
    if (isSize) return { extent: given, factor: given / before, isSize }
    const extent = Math.floor(before * given)
    if (extent < 1) throw new GraphError(`nothing is left of axis ${axis} of ${describe(x)}, resized by ${given}`)
    return { extent, factor: given, isSize }
  })
}

export const resize: Infer = (inputs, attributes) => {
  const shape = resizedAxes(inputs, attributes).map(({ extent }) => extent)
  return [{ dtype: required(inputs, 0).dtype, shape }]
}
