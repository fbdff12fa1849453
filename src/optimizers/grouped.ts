/** Different update rules for different parameters. */
import { UsageError } from '../errors.ts'
import type { Optimizer, Values } from './optimizer.ts'

export interface ParameterGroup {
  /** The parameters whose names match. Of several groups that match, the first takes it. */
  readonly match: RegExp
  readonly optimizer: Optimizer
  /** The group's learning rate, as a multiple of the whole's; 1 if left out. 0 freezes. */
  readonly rate?: number
}

/**
 * An optimiser that updates each group of parameters by its own rule, rate and weight decay, and what is in no group by
 * `rest`.
 *
 * @throws UsageError if a rate is negative; when training begins, if a group matches no parameter.
 */
export function grouped(groups: readonly ParameterGroup[], rest: Optimizer): Optimizer {
  for (const { rate = 1 } of groups) {
    if (!(rate >= 0) || !Number.isFinite(rate))
      throw new UsageError(`A group's rate must be at least 0, found ${rate}.`)
  }
  const all: readonly ParameterGroup[] = [...groups, { match: /(?:)/, optimizer: rest }]
  const numberOf = (name: string) => all.findIndex(({ match }) => name.search(match) >= 0)

  /** What belongs to group i, by name. */
  function own<T>(of: Readonly<Record<string, T>>, i: number): Record<string, T> {
    return Object.fromEntries(Object.entries(of).filter(([name]) => numberOf(name) === i))
  }
  const prefix = (i: number) => `group${i}.`

  return {
    name: 'grouped',
    settings: Object.fromEntries(
      all.flatMap(({ match, optimizer, rate = 1 }, i) => [
        [`${prefix(i)}match`, i < groups.length ? match.source : 'the rest'],
        [`${prefix(i)}optimizer`, optimizer.name],
        [`${prefix(i)}rate`, rate],
        ...Object.entries(optimizer.settings).map(([key, value]) => [`${prefix(i)}${key}`, value] as const),
      ]),
    ),
    state(parameters) {
      groups.forEach(({ match }, i) => {
        if (Object.keys(own(parameters, i)).length > 0) return
        throw new UsageError(
          `The group ${match} matches no parameter. There are ${Object.keys(parameters).join(', ')}.`,
        )
      })
      const states = all.map(({ optimizer }, i) =>
        Object.entries(optimizer.state(own(parameters, i))).map(([key, shape]) => [prefix(i) + key, shape] as const),
      )
      return Object.fromEntries(states.flat())
    },
    update(gradients, state, parameters, rate) {
      let [next, kept]: [Values, Values] = [{}, {}]
      all.forEach(({ optimizer, rate: factor = 1 }, i) => {
        const held = Object.entries(state).filter(([key]) => key.startsWith(prefix(i)))
        const stripped = Object.fromEntries(held.map(([key, value]) => [key.slice(prefix(i).length), value]))
        const updated = optimizer.update(own(gradients, i), stripped, own(parameters, i), rate.mul(factor))
        const renamed = Object.entries(updated.state).map(([key, value]) => [prefix(i) + key, value] as const)
        next = { ...next, ...updated.parameters }
        kept = { ...kept, ...Object.fromEntries(renamed) }
      })
      return { parameters: next, state: kept }
    },
  }
}
