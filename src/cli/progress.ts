/** Progress of training on standard error: a bar in a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress'
import type { StepRecord } from '../training/options.ts'
import { warn } from './outcome.ts'

export interface Progress {
  step(record: StepRecord): void
  /** A warning, which the bar makes room for. */
  say(message: string): void
  end(): void
}

/** How many lines are written where there is no terminal. */
const LINES = 10

export function progress(steps: number): Progress {
  return process.stderr.isTTY ? bar(steps) : lines(steps)
}

/** Says next to the loss that training has collapsed, for as long as that lasts. */
function condition() {
  let now = ''
  return ({ event }: StepRecord) => {
    if (event) now = { collapsed: ', collapsed', wentBack: ', recovering', recovered: '' }[event]
    return now
  }
}

function bar(steps: number): Progress {
  const format = 'training {bar} {percentage}% | step {value}/{total} | loss {loss} | {eta_formatted} left'
  const single = new SingleBar({ format, hideCursor: true, barsize: 30, etaBuffer: 50 }, Presets.shades_classic)
  const state = condition()
  single.start(steps, 0, { loss: '–' })
  return {
    step: (record) => single.update(record.step, { loss: record.loss.toFixed(4) + state(record) }),
    say(message) {
      // Over the bar, which is drawn again below.
      process.stderr.write('\r\x1b[K')
      warn(message)
    },
    end: () => single.stop(),
  }
}

function lines(steps: number): Progress {
  const every = Math.max(1, Math.round(steps / LINES))
  const state = condition()
  return {
    step(record) {
      const { step, loss } = record
      const now = state(record)
      if (step % every === 0 || step === steps) {
        process.stderr.write(`step ${step}/${steps}, loss ${loss.toFixed(4)}${now}\n`)
      }
    },
    say: warn,
    end() {},
  }
}
