/**
 * Which loss, mining, margin, scale and learning rate to begin with: each candidate on the demo's training images, over
 * several seeds, measured on classes held out of them. The demo's test images take no part.
 *
 *   npx tsx bench/defaults.ts [NOTION…]   trains what is not in bench/defaults.jsonl yet, and prints the table
 */
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderImages } from '../demo/src/render.ts'
import { holdOutClasses, openImageFolder } from '../src/data/index.ts'
import { convolutional } from '../src/encoders/index.ts'
import { type CosineMarginTripletOptions, cosineMarginTriplet, type Loss, triplet } from '../src/losses/index.ts'
import { batchHard, semiHard } from '../src/mining/index.ts'
import { type OnCollapse, train } from '../src/training/index.ts'

const SEEDS = [0, 1, 2, 3, 4]
const STEPS = 200
const input = { kind: 'image', channels: 1, height: 28, width: 28, resize: 'stretch' } as const
const notions = {
  'by-character': { classesPerBatch: 32, perClass: 4 },
  'by-typeface': { classesPerBatch: 16, perClass: 8 },
}
type Notion = keyof typeof notions

/** The cosine-margin-triplet loss, from the settings that this began with. */
const eq9 = (options: CosineMarginTripletOptions = {}) => cosineMarginTriplet({ margin: 0.2, scale: 16, ...options })

/** The first is what the others are compared with, pair by pair, since all see the same splits. */
const candidates: Readonly<Record<string, readonly [loss: Loss, learningRate: number, onCollapse?: OnCollapse]>> = {
  'cosineMarginTriplet, margin 0.2, scale 16': [eq9(), 1e-3],
  '… margin 0.1': [eq9({ margin: 0.1 }), 1e-3],
  '… margin 0.35': [eq9({ margin: 0.35 }), 1e-3],
  '… scale 8': [eq9({ scale: 8 }), 1e-3],
  '… scale 32': [eq9({ scale: 32 }), 1e-3],
  '… scale 64': [eq9({ scale: 64 }), 1e-3],
  '… learning rate 0.0003': [eq9(), 3e-4],
  '… learning rate 0.003': [eq9(), 3e-3],
  '… scale 8, margin 0.35': [eq9({ scale: 8, margin: 0.35 }), 1e-3],
  '… scale 8, learning rate 0.003': [eq9({ scale: 8 }), 3e-3],
  '… scale 8, margin 0.35, learning rate 0.003': [eq9({ scale: 8, margin: 0.35 }), 3e-3],
  '… semiHard': [eq9({ mining: semiHard() }), 1e-3],
  '… batchHard': [eq9({ mining: batchHard() }), 1e-3],
  'triplet, margin 0.2': [triplet(), 1e-3],
  'triplet, learning rate 0.003': [triplet(), 3e-3],
  'triplet, smooth': [triplet({ smooth: true }), 1e-3],
  'triplet, semiHard': [triplet({ mining: semiHard() }), 1e-3],
  'triplet, batchHard': [triplet({ mining: batchHard() }), 1e-3],
  'triplet, batchHard, learning rate 0.0003': [triplet({ mining: batchHard() }), 3e-4],
  'triplet, batchHard, on collapse recover': [triplet({ mining: batchHard() }), 1e-3, 'recover'],
}

interface Run {
  readonly notion: string
  readonly candidate: string
  readonly seed: number
  readonly precisionAt1: number
  readonly meanAveragePrecisionAtR: number
  readonly collapsed: boolean
}

const file = join(import.meta.dirname, 'defaults.jsonl')
const images = join(import.meta.dirname, '..', 'demo', 'images')

async function finished(): Promise<Run[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Run)
}

async function measure(notion: Notion, candidate: string, seed: number): Promise<Run> {
  const [loss, learningRate, onCollapse = 'warn'] = candidates[candidate]!
  const all = await openImageFolder(join(images, notion, 'train'), { input, warn() {} })
  const { training, heldOut } = holdOutClasses(all, 0.2, seed)
  let collapsed = false
  const model = await train(training, {
    ...notions[notion],
    encoder: convolutional({ input, dimension: 64 }),
    loss,
    learningRate,
    onCollapse,
    steps: STEPS,
    seed,
    threads: 1,
    warn() {},
    onStep({ event }) {
      collapsed ||= event === 'collapsed' || event === 'wentBack'
    },
  })
  const { precisionAt1, meanAveragePrecisionAtR } = await model.evaluate(heldOut)
  await model.release()
  return { notion, candidate, seed, precisionAt1, meanAveragePrecisionAtR, collapsed }
}

/** Mean and standard deviation, in percent. */
function summary(values: readonly number[]): string {
  const { mean, deviation } = moments(values)
  return `${(100 * mean).toFixed(1)} ± ${(100 * deviation).toFixed(1)}`
}

function table(notion: string, runs: readonly Run[]): string {
  const of = (candidate: string) => runs.filter((run) => run.notion === notion && run.candidate === candidate)
  const [first] = Object.keys(candidates)
  const base = new Map(of(first!).map((run) => [run.seed, run]))
  const lines = Object.keys(candidates).flatMap((candidate) => {
    const own = of(candidate)
    if (own.length < 2) return []
    const differences = own.flatMap(({ seed, meanAveragePrecisionAtR }) => {
      const other = base.get(seed)
      return other ? [meanAveragePrecisionAtR - other.meanAveragePrecisionAtR] : []
    })
    const cells = [
      candidate,
      summary(own.map((run) => run.precisionAt1)),
      summary(own.map((run) => run.meanAveragePrecisionAtR)),
      candidate === first ? '' : difference(differences),
      `${own.filter((run) => run.collapsed).length} of ${own.length}`,
    ]
    return [`| ${cells.join(' | ')} |`]
  })
  const head = [`| ${notion} | precision@1, % | MAP@R, % | against the first | collapsed |`, '|---|---|---|---|---|']
  return [...head, ...lines].join('\n')
}

/** Mean and standard error of paired differences, in percentage points. */
function difference(values: readonly number[]): string {
  const { mean, deviation } = moments(values)
  const sign = mean < 0 ? '−' : '+'
  return `${sign}${Math.abs(100 * mean).toFixed(1)} ± ${((100 * deviation) / Math.sqrt(values.length)).toFixed(1)}`
}

function moments(values: readonly number[]) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, values.length - 1)
  return { mean, deviation: Math.sqrt(variance) }
}

const asked = process.argv.slice(2) as Notion[]
await renderImages(images)
for (const seed of SEEDS) {
  for (const notion of asked.length > 0 ? asked : (Object.keys(notions) as Notion[])) {
    for (const candidate of Object.keys(candidates)) {
      const done = await finished()
      if (done.some((run) => run.notion === notion && run.candidate === candidate && run.seed === seed)) continue
      const run = await measure(notion, candidate, seed)
      await appendFile(file, `${JSON.stringify(run)}\n`)
      process.stderr.write(
        `${notion}, seed ${seed}, ${candidate}: MAP@R ${(100 * run.meanAveragePrecisionAtR).toFixed(1)} %\n`,
      )
    }
  }
}
const runs = await finished()
for (const notion of Object.keys(notions)) console.log(`\n${table(notion, runs)}`)
