/** Which input of a text encoder says what of its tokens is padding. */
import { UsageError } from '../../errors.ts'
import type { Input } from './graph.ts'

/** What exporters call it. */
const USUAL = 'attention_mask'

export interface Masking {
  /**
   * The input [n, tokens] that pooling over tokens goes by: 1 for tokens, 0 for padding; false if all count.
   * `attention_mask` if left out.
   */
  readonly mask?: string | false | undefined
}

/**
 * @param isPooled whether tokens are pooled.
 * @throws UsageError if `mask` names no such input, or is left out where a mask goes by another name than the usual one.
 */
export function maskOf(inputs: readonly Input[], isPooled: boolean, { mask }: Masking): string | undefined {
  const isMask = (each: Input, name: string) => each.name === name && each.shape.length === 2
  if (typeof mask === 'string') {
    if (isPooled && inputs.some((each) => isMask(each, mask))) return mask
    throw new UsageError(
      isPooled
        ? `mask is ${JSON.stringify(mask)}; expected an input [n, tokens]. There are ${inputs.map(described).join(', ')}.`
        : `mask is ${JSON.stringify(mask)}, but no tokens are pooled. Leave it out.`,
    )
  }
  if (mask === false || !isPooled) return undefined
  if (inputs.some((each) => isMask(each, USUAL))) return USUAL
  const likely = inputs.find(({ name }) => /mask/i.test(name))
  if (!likely) return undefined
  throw new UsageError(
    `The model takes ${described(likely)}, which may say what of its tokens is padding. State { mask: NAME } of an input [n, tokens] that is 1 for tokens and 0 for padding, or { mask: false } if all tokens count.`,
  )
}

function described({ name, shape }: Input): string {
  return `${name} [${shape.join(', ')}]`
}
