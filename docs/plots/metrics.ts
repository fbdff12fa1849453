/** Distances over angles, and margins over angles. */
import { compile } from '../../src/compile.ts'
import { constant } from '../../src/graph/index.ts'
import { angular, chord, convertMargin, cosine, type Metric, squaredChord } from '../../src/metrics/index.ts'
import { colors, draw } from './chart.ts'
import { range, zip } from './curves.ts'

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

const spherical = [
  { metric: cosine, name: 'cosine, 1 − cos', color: colors.blue },
  { metric: squaredChord, name: 'squaredChord, 2(1 − cos)', color: colors.sky },
  { metric: chord, name: 'chord, √(2(1 − cos))', color: colors.orange },
  { metric: angular, name: 'angular, arccos(cos)/π', color: colors.green },
]

export async function metrics() {
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
export async function margins() {
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
