/** Losses over distances: equation 9, and the questioner's loss beside the triplet loss. */
import { compile } from '../../src/compile.ts'
import { differentiate, input } from '../../src/graph/index.ts'
import { cosineMarginTriplet, type Loss, triplet } from '../../src/losses/index.ts'
import { colors, draw } from './chart.ts'
import { column, range, zip } from './curves.ts'

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

export async function equationNine() {
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
export async function compared() {
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
