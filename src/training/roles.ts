/** What the tensors that a step holds are for: those of one role are packed together. */
import type { Variables } from '../encoders/encoder.ts'
import { GRADIENT, OPTIMIZER, OWN, SLOW, type Types } from './graphs.ts'

/**
 * Gives the role of a tensor by its name. What is held for each parameter (a moment, a sum of gradients) is told apart by
 * what it is, and parameters by what is held for them, so that vectors of them lie side by side and are updated at once.
 */
export function roles(variables: Variables, optimizerState: Types): (name: string) => string {
  const kinds = new Map<string, string>()
  const heldFor = new Map<string, string>()
  for (const key of Object.keys(optimizerState)) {
    const [kind, parameter] = apart(key.slice(OPTIMIZER.length), variables)
    kinds.set(key, kind)
    if (parameter !== undefined) heldFor.set(parameter, `${heldFor.get(parameter) ?? ''} ${kind}`)
  }
  return (name) => {
    const kind = kinds.get(name)
    if (kind !== undefined) return `optimizer ${kind}${partOf(name)}`
    const parameter = [GRADIENT, SLOW].reduce(
      (rest, prefix) => (rest.startsWith(prefix) ? rest.slice(prefix.length) : rest),
      name,
    )
    const held = heldFor.get(parameter) ?? ''
    if (name.startsWith(GRADIENT)) return `gradients${held}${partOf(parameter)}`
    return `${variables[parameter]!.trained ? 'parameters' : 'statistics'}${held}${partOf(name)}`
  }
}

/** `mean.0.weight` is the `mean` of the parameter `0.weight`; of what is held once for all there is only the kind. */
function apart(key: string, variables: Variables): [kind: string, parameter?: string] {
  for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
    if (key.slice(dot + 1) in variables) return [key.slice(0, dot), key.slice(dot + 1)]
  }
  return ['of all']
}

/** Of what one graph of several writes, each has its own. */
function partOf(name: string): string {
  return name.includes(OWN) ? ' of the loss' : name.startsWith(SLOW) ? ' of the slow encoder' : ''
}
