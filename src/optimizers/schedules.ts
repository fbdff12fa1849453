/** Learning rates over a training run, as multiples of the one that was set. */
import { UsageError } from '../errors.ts'

export interface Schedule {
  readonly name: string
  readonly settings: Readonly<Record<string, number>>
  /** The factor at a step, counted from 1, of a run of so many steps. */
  factor(step: number, steps: number): number
}

/** 1 throughout. */
export function constant(): Schedule {
  return { name: 'constant', settings: {}, factor: () => 1 }
}

/**
 * Rises evenly to 1 over the first `warmup` share of the steps (0.1 if left out), and then follows another schedule over the
 * rest; `constant()` if left out.
 *
 * @throws UsageError if the share is not from 0 to 1.
 */
export function linearWarmup({ warmup = 0.1, next = constant() }: { warmup?: number; next?: Schedule } = {}): Schedule {
  checkShare('warmup', warmup)
  return {
    name: next.name === 'constant' ? 'linearWarmup' : `linearWarmup, ${next.name}`,
    settings: { warmup, ...next.settings },
    factor(step, steps) {
      const rising = Math.round(warmup * steps)
      return step <= rising ? step / rising : next.factor(step - rising, steps - rising)
    },
  }
}

/**
 * Falls from 1 to `final` (0 if left out) along half a cosine. Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent
 * with Warm Restarts", 2017, eq. 5, without restarts.
 */
export function cosine({ final = 0 }: { final?: number } = {}): Schedule {
  checkShare('final', final)
  return {
    name: 'cosine',
    settings: { final },
    factor: (step, steps) => final + ((1 - final) * (1 + Math.cos(Math.PI * progress(step, steps)))) / 2,
  }
}

/** Multiplied by `gamma` (0.1 if left out) each time that another `every` share of the steps is done; a third if left out. */
export function stepwise({ every = 1 / 3, gamma = 0.1 }: { every?: number; gamma?: number } = {}): Schedule {
  if (!(every > 0)) throw new UsageError(`The share of steps must be above 0, found ${every}.`)
  checkShare('gamma', gamma)
  return {
    name: 'stepwise',
    settings: { every, gamma },
    factor: (step, steps) => gamma ** Math.floor((step - 1) / Math.max(1, Math.round(every * steps))),
  }
}

/**
 * Rises along half a cosine from 1/`start` (25 if left out) to 1 over the first `rise` share of the steps (0.3), and falls
 * along another to 1/`end` (10,000) of where it began. Smith and Topin, "Super-Convergence", 2018, with PyTorch's cosines.
 */
export function oneCycle({
  rise = 0.3,
  start = 25,
  end = 1e4,
}: {
  rise?: number
  start?: number
  end?: number
} = {}): Schedule {
  checkShare('rise', rise)
  for (const [name, value] of Object.entries({ start, end })) {
    if (!(value >= 1)) throw new UsageError(`${name} must be at least 1, found ${value}.`)
  }
  const between = (from: number, to: number, share: number) => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2
  return {
    name: 'oneCycle',
    settings: { rise, start, end },
    factor(step, steps) {
      const top = rise * steps - 1
      const at = step - 1
      if (at <= top) return between(1 / start, 1, top > 0 ? at / top : 1)
      return between(1, 1 / start / end, Math.min(1, (at - top) / Math.max(1, steps - 1 - top)))
    },
  }
}

/** From 0 at the first step to 1 at the last. */
function progress(step: number, steps: number): number {
  return steps > 1 ? (step - 1) / (steps - 1) : 0
}

function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new UsageError(`${name} must be from 0 to 1, found ${value}.`)
}
