/** Progress of training on standard error: one live line in a terminal, a line now and then elsewhere. */
import type { StepRecord, TrainingEvent } from '../training/index.ts'

export interface Progress {
  show(event: TrainingEvent): void
  /** A warning, which the live line makes room for. */
  say(message: string): void
  end(): void
}

/** How many lines are written where there is no terminal. */
const LINES = 10
/** Below so many columns the live line has no bar. */
const BAR_FROM = 110
const BAR = 16
/** Milliseconds between two drawings of the live line. */
const REDRAW = 100

export function progress(): Progress {
  const display = process.stderr.isTTY ? live() : plain()
  let line: Line | undefined
  return {
    show(event) {
      if (event.kind === 'begin') {
        line = lines(event.steps)
        display.begin(event)
      } else if (event.kind === 'evaluation') {
        display.write(evaluated(event))
      } else if (event.kind === 'step') {
        line!.read(event.record)
        display.step(event.record.step, line!)
      }
    },
    say: (message) => display.write(`warning: ${message}\n`),
    end: display.end,
  }
}

/** How it is shown: on a terminal, or elsewhere. */
interface Display {
  begin(event: { readonly steps: number; readonly done: number }): void
  step(step: number, line: Line): void
  /** Whole lines beside the steps. */
  write(text: string): void
  end(): void
}

interface Line {
  /** Takes a step in. */
  read(record: StepRecord): void
  readonly steps: number
  /** What is known of the last one. */
  readonly parts: readonly string[]
}

function lines(steps: number): Line {
  let condition = ''
  let begun: { readonly time: number; readonly step: number } | undefined
  let parts: string[] = []
  return {
    steps,
    read({ step, loss, positiveDistance, negativeDistance, event }) {
      begun ??= { time: performance.now(), step }
      if (event) condition = { collapsed: ', collapsed', wentBack: ', recovering', recovered: '' }[event]
      // The first step compiles the graphs: it says nothing of the others.
      const rate = (step - begun.step) / ((performance.now() - begun.time) / 1000)
      parts = [
        `loss ${loss.toFixed(4)}${condition}`,
        `positives ${distance(positiveDistance)}`,
        `negatives ${distance(negativeDistance)}`,
        ...(rate > 0 ? [`${rate.toPrecision(3)} steps/s`, `${duration((steps - step) / rate)} left`] : []),
      ]
    },
    get parts() {
      return parts
    },
  }
}

function live(): Display {
  let drawn = 0
  let text = ''
  const draw = () => process.stderr.write(`\r${text.slice(0, (process.stderr.columns ?? 80) - 1)}\x1b[K`)
  const show = (step: number, steps: number, rest: string) => {
    const bar = (process.stderr.columns ?? 80) >= BAR_FROM ? ` ${barOf(step / steps)}` : ''
    text = `step ${step}/${steps}${bar} ${rest}`
    // Nobody reads faster, and a terminal far away would slow training down.
    if (performance.now() - drawn < REDRAW && step < steps) return
    drawn = performance.now()
    draw()
  }
  return {
    begin: ({ steps, done }) => show(done, steps, 'compiling'),
    step: (step, { steps, parts }) => show(step, steps, parts.join(' · ')),
    write(lines) {
      process.stderr.write(`\r\x1b[K${lines}`)
      draw()
    },
    end() {
      if (!text) return
      draw()
      process.stderr.write('\n')
      text = ''
    },
  }
}

function barOf(share: number): string {
  const full = Math.round(BAR * share)
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

function plain(): Display {
  let waiting = ''
  const print = () => {
    process.stderr.write(waiting)
    waiting = ''
  }
  return {
    begin() {},
    step(step, { steps, parts }) {
      const every = Math.max(1, Math.round(steps / LINES))
      waiting = `step ${step}/${steps}, ${parts.join(', ')}\n`
      if (step % every === 0 || step === steps) print()
    },
    write: (text) => void process.stderr.write(text),
    // Where training ends early, its last step is told, too.
    end: print,
  }
}

function evaluated({ step, evaluation, isBest }: TrainingEvent & { kind: 'evaluation' }): string {
  const figures = Object.entries(evaluation)
    .filter(([name, value]) => typeof value === 'number' && SHOWN.has(name))
    .map(([name, value]) => `${SHOWN.get(name)} ${(100 * (value as number)).toFixed(1)} %`)
  return `step ${step} evaluated: ${figures.join(', ')}${isBest ? ', the best so far' : ''}\n`
}

const SHOWN = new Map([
  ['precisionAt1', 'precision@1'],
  ['meanAveragePrecisionAtR', 'MAP@R'],
  ['inOrder', 'in order'],
  ['spearman', 'Spearman'],
])

const distance = (value: number) => value.toPrecision(3)

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
