/** Progress of training on standard error: a bar in a terminal, a line now and then elsewhere. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  step(step: number, loss: number): void
  end(): void
}

/** How many lines are written where there is no terminal. */
const LINES = 10

export function progress(steps: number): Progress {
  return process.stderr.isTTY ? bar(steps) : lines(steps)
}

function bar(steps: number): Progress {
  const format = 'training {bar} {percentage}% | step {value}/{total} | loss {loss} | {eta_formatted} left'
  const single = new SingleBar({ format, hideCursor: true, barsize: 30, etaBuffer: 50 }, Presets.shades_classic)
  single.start(steps, 0, { loss: '–' })
  return {
    step: (step, loss) => single.update(step, { loss: loss.toFixed(4) }),
    end: () => single.stop(),
  }
}

function lines(steps: number): Progress {
  const every = Math.max(1, Math.round(steps / LINES))
  return {
    step(step, loss) {
      if (step % every === 0 || step === steps) process.stderr.write(`step ${step}/${steps}, loss ${loss.toFixed(4)}\n`)
    },
    end() {},
  }
}
