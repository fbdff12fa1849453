/**
 * The pictures of docs/cosine-triplet-loss.md: curves are what the library computes, and runs are run.
 *
 *   npm run plots
 */
import { join } from 'node:path'
import { renderImages } from '../../demo/src/render.ts'
import { compile } from '../../src/compile.ts'
import { openImageFolder } from '../../src/data/index.ts'
import { convolutional } from '../../src/encoders/index.ts'
import { constant, differentiate, input } from '../../src/graph/index.ts'
import { cosineMarginTriplet, type Loss, triplet } from '../../src/losses/index.ts'
import { angular, chord, convertMargin, cosine, type Metric, squaredChord } from '../../src/metrics/index.ts'
import { batchHard } from '../../src/mining/index.ts'
import { type StepRecord, train } from '../../src/training/index.ts'
import { colors, draw } from './chart.ts'

const range = (from: number, to: number, points = 181) =>
  Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from))
const zip = (xs: readonly number[], ys: ArrayLike<number>) => xs.map((x, i) => [x, ys[i]!] as const)
const column = (values: readonly number[]) =>
  ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) }) as const

/** Distances of two directions at angles, in degrees. */
async function distances(metric: Metric, degrees: readonly number[]): Promise<Float32Array> {
  const n = degrees.length
  const at = (angles: readonly number[]) =>
    constant(
      'float32',
      [n, 2],
      angles.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
    )
  const program = await compile({ distance: metric.pairwise(at(degrees.map(() => 0)), at(degrees)) })
  const { distance } = await program.run({})
  await program.release()
  return distance!.data as Float32Array
}

/** A loss and how hard it pulls, over the difference d(a, n) − d(a, p). */
async function overDifference({ formula }: Loss, differences: readonly number[]) {
  const shape = [differences.length]
  const [ap, an] = [input('ap', 'float32', shape), input('an', 'float32', shape)]
  const value = formula!({ ap, an, pn: an })
  const program = await compile({ value, pull: differentiate(value.sum(), [ap])[0]! })
  const results = await program.run({
    ap: column(differences.map(() => 1)),
    an: column(differences.map((each) => 1 + each)),
  })
  await program.release()
  return { value: results.value!.data as Float32Array, pull: results.pull!.data as Float32Array }
}

const spherical = [
  { metric: cosine, name: 'cosine, 1 − cos', color: colors.blue },
  { metric: squaredChord, name: 'squaredChord, 2(1 − cos)', color: colors.sky },
  { metric: chord, name: 'chord, √(2(1 − cos))', color: colors.orange },
  { metric: angular, name: 'angular, arccos(cos)/π', color: colors.green },
]

async function metrics() {
  const degrees = range(0, 180)
  const curves = await Promise.all(
    spherical.map(async (each) => ({ ...each, values: await distances(each.metric, degrees) })),
  )
  const slope = (values: ArrayLike<number>) =>
    degrees.slice(1).map((x, i) => [x - 0.5, ((values[i + 1]! - values[i]!) * 180) / Math.PI] as const)
  const angle = { name: 'angle between the embeddings, °', from: 0, to: 180, every: 45 }
  await draw('metrics', [
    {
      title: 'Four distances of the same angle',
      x: angle,
      y: { name: 'distance', from: 0, to: 4, every: 1 },
      lines: curves.map(({ name, color, values }) => ({ name, color, points: zip(degrees, values) })),
    },
    {
      title: 'Their slopes: who is moved',
      x: angle,
      y: { name: 'slope, per radian', from: 0, to: 2, every: 0.5 },
      lines: curves.map(({ name, color, values }) => ({ name: name.split(',')[0]!, color, points: slope(values) })),
    },
  ])
}

/** For each angle of the positive the angle that a negative needs, with margins that ask for the same at 0°. */
async function margins() {
  const asked = 0.2
  const degrees = range(0, 120, 121)
  const all = range(0, 180, 3601)
  const lines = await Promise.all(
    spherical
      .filter(({ metric }) => metric !== squaredChord)
      .map(async ({ metric, color }) => {
        const margin = convertMargin(asked, { from: cosine, to: metric })
        const [table, positive] = [await distances(metric, all), await distances(metric, degrees)]
        const needed = degrees.flatMap((x, i) => {
          const found = table.findIndex((each) => each >= positive[i]! + margin)
          return found < 0 ? [] : [[x, all[found]! - x] as const]
        })
        return { name: `${metric.name}, margin ${margin.toFixed(3)}`, color, points: needed }
      }),
  )
  const values = range(0.01, 1, 100)
  const angleOf = (metric: Metric, margin: number) => 180 * convertMargin(margin, { from: metric, to: angular })
  await draw('margins', [
    {
      title: 'Which margin means which angle',
      x: { name: 'margin', from: 0, to: 1, every: 0.2 },
      y: { name: 'angle that it asks for, °', from: 0, to: 180, every: 45 },
      lines: spherical.map(({ metric, color }) => ({
        name: metric.name,
        color,
        points: values.map((margin) => [margin, angleOf(metric, margin)] as const),
      })),
    },
    {
      title: 'The same 36.9° at 0°, and what becomes of them',
      x: { name: 'angle of the positive, °', from: 0, to: 120, every: 30 },
      y: { name: '° beyond it that the negative needs', from: 0, to: 60, every: 15 },
      lines,
    },
  ])
}

async function equationNine() {
  const x = range(-0.8, 1.2)
  const difference = { name: 'd(a, n) − d(a, p): violated to the left', from: -0.8, to: 1.2, every: 0.4 }
  const [hinge, ...smooth] = await Promise.all(
    [triplet({ margin: 0.2 }), ...[4, 16, 64].map((scale) => cosineMarginTriplet({ margin: 0.2, scale }))].map((loss) =>
      overDifference(loss, x),
    ),
  )
  const shifted = await Promise.all(
    [0, 0.2, 0.5].map((margin) => overDifference(cosineMarginTriplet({ margin, scale: 16 }), x)),
  )
  const tones = [colors.sky, colors.blue, colors.pink]
  await draw('equation-9', [
    {
      title: 's: how sharply (loss/s, m = 0.2)',
      x: difference,
      y: { name: 'loss/s', from: 0, to: 1, every: 0.25 },
      lines: [
        ...smooth.map(({ value }, i) => {
          const scale = [4, 16, 64][i]!
          return {
            name: `s = ${scale}`,
            color: tones[i]!,
            points: zip(
              x,
              value.map((each) => each / scale),
            ),
          }
        }),
        { name: 'hinge', color: colors.grey, dashed: true, points: zip(x, hinge!.value) },
      ],
    },
    {
      title: 's: which triplets count (m = 0.2)',
      x: difference,
      y: { name: 'share of the full gradient', from: 0, to: 1, every: 0.25 },
      lines: [
        ...smooth.map(({ pull }, i) => {
          const scale = [4, 16, 64][i]!
          return {
            name: `s = ${scale}`,
            color: tones[i]!,
            points: zip(
              x,
              pull.map((each) => each / scale),
            ),
          }
        }),
        { name: 'hinge', color: colors.grey, dashed: true, points: zip(x, hinge!.pull) },
      ],
    },
    {
      title: 'm: from where on (s = 16)',
      x: difference,
      y: { name: 'share of the full gradient', from: 0, to: 1, every: 0.25 },
      lines: shifted.map(({ pull }, i) => ({
        name: `m = ${[0, 0.2, 0.5][i]}`,
        color: [colors.green, colors.blue, colors.orange][i]!,
        points: zip(
          x,
          pull.map((each) => each / 16),
        ),
      })),
    },
  ])
}

/** What moves where, over the two cosines: the outlines follow from the formulas in the titles. */
async function compared() {
  const m = 0.5
  const cosines = { from: -1, to: 1, every: 0.5 }
  const [x, y] = [
    { name: 'cos(a, p)', ...cosines },
    { name: 'cos(a, n)', ...cosines },
  ]
  const [both, push, none] = ['#f2b48c', '#9cc9e4', '#d3dbe2']
  await draw('compared', [
    {
      title: '(1 − d(a,n)) + max(d(a,p) + 0.5, 0)',
      x,
      y,
      regions: [
        {
          name: 'pulls and pushes',
          color: both,
          outline: [
            [-1, -1],
            [m, -1],
            [m, 1],
            [-1, 1],
          ],
        },
        {
          name: 'only pushes, without end',
          color: push,
          outline: [
            [m, -1],
            [1, -1],
            [1, 1],
            [m, 1],
          ],
        },
      ],
    },
    {
      title: 'max(d(a,p) − d(a,n) + 0.5, 0)',
      x,
      y,
      regions: [
        {
          name: 'pulls and pushes',
          color: both,
          outline: [
            [-1, -1],
            [m - 1, -1],
            [1, 1 - m],
            [1, 1],
            [-1, 1],
          ],
        },
        {
          name: 'satisfied',
          color: none,
          outline: [
            [m - 1, -1],
            [1, -1],
            [1, 1 - m],
          ],
        },
      ],
    },
  ])
}

async function collapse() {
  const images = join(import.meta.dirname, '..', '..', 'demo', 'images')
  await renderImages(images)
  const form = { kind: 'image', channels: 1, height: 28, width: 28, resize: 'stretch' } as const
  const letters = await openImageFolder(join(images, 'by-character', 'train'), { input: form, warn() {} })
  const steps = 150
  const run = async (loss: Loss, onCollapse: 'warn' | 'recover' = 'warn') => {
    const history: StepRecord[] = []
    const model = await train(letters, {
      encoder: convolutional({ input: form, dimension: 64 }),
      loss,
      onCollapse,
      steps,
      warn() {},
      onStep: (record) => history.push(record),
    })
    await model.release()
    return history
  }
  const runs = [
    { name: 'batchHard', color: colors.orange, history: await run(triplet({ mining: batchHard() })) },
    {
      name: 'batchHard, recover',
      color: colors.green,
      history: await run(triplet({ mining: batchHard() }), 'recover'),
    },
    { name: 'all triplets', color: colors.blue, history: await run(triplet()) },
  ]
  const x = { name: 'step', from: 0, to: steps, every: 50 }
  const lines = (of: (record: StepRecord) => number) =>
    runs.map(({ name, color, history }) => ({
      name,
      color,
      points: history.map((each) => [each.step, of(each)] as const),
    }))
  await draw('collapse', [
    {
      title: 'The loss stays at the margin …',
      x,
      y: { name: 'loss', from: 0, to: 0.4, every: 0.1 },
      lines: lines(({ loss }) => loss),
    },
    {
      title: '… because everything is one point',
      x,
      y: { name: 'mean distance of two embeddings', from: 0, to: 1, every: 0.25 },
      lines: lines(({ spread }) => spread),
    },
  ])
}

for (const plot of [metrics, margins, equationNine, compared, collapse]) await plot()
