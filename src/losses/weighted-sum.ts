/** Several losses at once. */
import { UsageError } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import type { Loss } from './loss.ts'
import { forwarded, merged, variablesOf } from './own-variables.ts'

export interface WeightedLoss {
  readonly loss: Loss
  /** 1 if left out. */
  readonly weight?: number
}

/**
 * The sum of losses, each times its weight, over the same examples. The metric is that of the first: it is what evaluates and
 * searches.
 *
 * @throws UsageError if there is no loss, a weight is not finite, or losses want different views or slow encoders.
 */
export function weightedSum(parts: readonly WeightedLoss[]): Loss {
  const losses = parts.map(({ loss }) => loss)
  const [first] = losses
  if (!first) throw new UsageError('A weighted sum needs a loss at least, found none.')
  for (const { loss, weight = 1 } of parts) {
    if (!Number.isFinite(weight)) throw new UsageError(`The weight of ${loss.name} is ${weight}; expected a number.`)
    for (const same of ['views', 'momentum'] as const) {
      if (loss[same] === first[same]) continue
      const found = losses.map((each) => `${each.name}: ${each[same] ?? 'none'}`).join(', ')
      throw new UsageError(`The losses of a sum want different ${same} (${found}). Wrap the sum in place of its parts.`)
    }
  }
  const isMined = losses.some((loss) => loss.withMining)
  return {
    name: 'weightedSum',
    metric: first.metric,
    settings: Object.fromEntries(
      parts.flatMap(({ loss, weight = 1 }, i) => [
        [`${i} loss`, loss.name],
        [`${i} weight`, weight],
        ...Object.entries(loss.settings ?? {}).map(([name, value]) => [`${i} ${name}`, value]),
      ]),
    ),
    ...(first.over && { over: first.over }),
    ...(first.views !== undefined && { views: first.views }),
    ...(first.momentum !== undefined && { momentum: first.momentum }),
    variables: (size) => merged(losses, size),
    ...(isMined && {
      withMining: (mining) =>
        weightedSum(parts.map((part) => ({ ...part, loss: part.loss.withMining?.(mining) ?? part.loss }))),
    }),
    build(examples, variables = {}) {
      const built = losses.map((loss, i) => loss.build(examples, variablesOf(variables, i)))
      const weighted = built.map(({ value }, i) => value.mul(parts[i]!.weight ?? 1))
      const value = weighted.reduce((sum: Value, each) => sum.add(each))
      const state = Object.assign({}, ...built.map((each, i) => forwarded(each.state, i)))
      return { ...built[0]!, value, state }
    },
  }
}
