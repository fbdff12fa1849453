/** Whether training has collapsed: every embedding has become nearly the same point, and the loss stands still. */
import type { Loss } from '../losses/loss.ts'

export type OnCollapse = 'warn' | 'stop' | 'recover'

/** So small a share of the widest spread is a collapse; so large a one is a spread that is back. */
const COLLAPSED = 0.05
const HEALTHY = 0.2
/** For as many steps in a row, because single batches vary. */
const STEPS = 10
/** Where distances are bounded, a quarter of their range counts as a spread that embeddings can have, seen or not. */
const USUAL = 0.25

export interface CollapseWatch {
  /** Takes in the spread of a step, and says whether something has changed with it. */
  observe(spread: number): 'collapsed' | 'recovered' | undefined
  /** Is to be called when training goes on from parameters that had not collapsed. */
  wentBack(): void
  /** Whether the last step's spread is one to go back to. */
  healthy(): boolean
  /** The widest spread so far. */
  readonly widest: number
}

/**
 * Watches the mean distance of all pairs of a batch, step by step. In a metric without a least distance (dot) nothing can be
 * said of it, and nothing is.
 */
export function collapseWatch([least, most]: Loss['metric']['range']): CollapseWatch {
  let widest = Number.isFinite(most - least) ? USUAL * (most - least) : 0
  let [narrow, wide, last] = [0, 0, 0]
  let state: 'fine' | 'collapsed' | 'recovering' = 'fine'
  return {
    observe(spread) {
      if (!Number.isFinite(least)) return undefined
      widest = Math.max(widest, spread - least)
      last = (spread - least) / widest
      narrow = last < COLLAPSED ? narrow + 1 : 0
      wide = last > HEALTHY ? wide + 1 : 0
      if (state !== 'collapsed' && narrow >= STEPS) {
        state = 'collapsed'
        return 'collapsed'
      }
      if (state !== 'fine' && wide >= STEPS) {
        state = 'fine'
        return 'recovered'
      }
      return undefined
    },
    wentBack() {
      state = 'recovering'
      narrow = 0
      wide = 0
    },
    healthy: () => !Number.isFinite(least) || (state === 'fine' && last > HEALTHY),
    get widest() {
      return least + widest
    },
  }
}

export interface CollapseReport {
  readonly step: number
  readonly spread: number
  readonly widest: number
  readonly learningRate: number
  readonly onCollapse: OnCollapse
}

/** What happened, and what to change. */
export function collapseMessage(
  loss: Loss,
  { step, spread, widest, learningRate, onCollapse }: CollapseReport,
): string {
  const { mining, smooth, scale } = loss.settings ?? {}
  const advice = [
    `lower the learning rate (${learningRate} now)`,
    ...(mining === 'batchHard' ? ['use the mining semiHard or all in place of batchHard'] : []),
    ...(smooth === true || scale !== undefined ? [] : ['use a smooth loss, as cosineMarginTriplet is']),
    ...(onCollapse === 'recover' ? [] : ['choose recover for what to do on collapse']),
  ]
  return (
    `Training collapsed at step ${step}: the mean distance of two embeddings is ${spread.toPrecision(2)}, where up to ` +
    `${widest.toPrecision(2)} was to be expected, so all of them are nearly one point. To prevent it, ${advice.join(', or ')}.`
  )
}
