/** Settings of operators of which no gradient is known here, though others have one. */

type Attributes = Readonly<Record<string, unknown>>

/** What of an operator's attributes keeps gradients from flowing through it; undefined if nothing does. */
export function withoutRule(operator: string, attributes: Attributes): string | undefined {
  if (operator === 'ScatterElements') {
    const { reduction = 'none' } = attributes
    return reduction === 'none' || reduction === 'add' ? undefined : `reduction ${reduction}`
  }
  if (operator !== 'Resize') return undefined
  const { coordinate_transformation_mode: mode = 'half_pixel' } = attributes
  return mode === 'tf_crop_and_resize' ? `coordinate_transformation_mode ${mode}` : undefined
}
