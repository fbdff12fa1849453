/** Progress of training on standard error: one live line in a terminal, a line now and then elsewhere. */
import type { StepRecord, TrainingEvent } from '../training/index.ts'
import { prose } from './paragraph.ts'

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

/** Where it is shown. */
export type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown }

export function progress(stream: Stream = process.stderr): Progress {
  const display = stream.isTTY ? live(stream) : plain(stream)
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
  /** What is known of the last one, in columns of this width; what says least is left out where it is too narrow. */
  text(separator: string, width?: number): string
}

/** What is known of a step; of the first, nothing of the pace. */
interface Parts {
  readonly loss: string
  readonly positives: string
  readonly negatives: string
  readonly pace?: string
  readonly left?: string
}

/** The widest that fits is shown, whole parts alone. */
const LAYOUTS: readonly (readonly (keyof Parts)[])[] = [
  ['loss', 'positives', 'negatives', 'pace', 'left'],
  ['loss', 'positives', 'negatives', 'left'],
  ['loss', 'pace', 'left'],
  ['loss', 'left'],
  ['left'],
]

function lines(steps: number): Line {
  let condition = ''
  let begun: { readonly time: number; readonly step: number } | undefined
  let parts: Parts | undefined
  return {
    steps,
    read({ step, loss, positiveDistance, negativeDistance, event }) {
      begun ??= { time: performance.now(), step }
      if (event) condition = { collapsed: ', collapsed', wentBack: ', recovering', recovered: '' }[event]
      // The first step compiles the graphs: it says nothing of the others.
      const rate = (step - begun.step) / ((performance.now() - begun.time) / 1000)
      parts = {
        loss: `loss ${loss.toFixed(4)}${condition}`,
        positives: `positives ${distance(positiveDistance)}`,
        negatives: `negatives ${distance(negativeDistance)}`,
        ...(rate > 0 && { pace: `${rate.toPrecision(3)} steps/s`, left: ending(steps - step, rate, begun.time) }),
      }
    },
    text(separator, width = Number.POSITIVE_INFINITY) {
      const written = LAYOUTS.map((names) => names.flatMap((name) => parts?.[name] ?? []).join(separator))
      return written.find((text) => text.length <= width) ?? ''
    },
  }
}

function live(stream: Stream): Display {
  let drawn = 0
  let text = ''
  // The last column stays free: some terminals would go on in the next line.
  const columns = () => (stream.columns ?? 80) - 1
  const draw = () => stream.write(`\r${text.slice(0, columns())}\x1b[K`)
  const show = (step: number, steps: number, rest: (width: number) => string) => {
    const bar = columns() >= BAR_FROM ? ` ${barOf(step / steps)}` : ''
    // As wide from the first step to the last, so that nothing behind it moves.
    const head = `step ${String(step).padStart(String(steps).length)}/${steps}${bar} `
    text = head + rest(columns() - head.length)
    // Nobody reads faster, and a terminal far away would slow training down.
    if (performance.now() - drawn < REDRAW && step < steps) return
    drawn = performance.now()
    draw()
  }
  return {
    begin: ({ steps, done }) => show(done, steps, () => 'compiling'),
    step: (step, line) => show(step, line.steps, (width) => line.text(' · ', width)),
    write(lines) {
      stream.write(`\r\x1b[K${prose(lines, stream)}`)
      draw()
    },
    end() {
      if (!text) return
      draw()
      stream.write('\n')
      text = ''
    },
  }
}

function barOf(share: number): string {
  const full = Math.round(BAR * share)
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

function plain(stream: Stream): Display {
  let waiting = ''
  const print = () => {
    stream.write(waiting)
    waiting = ''
  }
  return {
    begin() {},
    step(step, { steps, text }) {
      const every = Math.max(1, Math.round(steps / LINES))
      waiting = `step ${step}/${steps}, ${text(', ')}\n`
      if (step % every === 0 || step === steps) print()
    },
    write: (text) => void stream.write(text),
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

/** The time that is left; after the last step, that which it took. */
function ending(steps: number, rate: number, begun: number): string {
  if (steps > 0) return `${duration(steps / rate)} left`
  return `done in ${duration((performance.now() - begun) / 1000)}`
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
