import { expect, test } from 'vitest'
import { cosineMarginTriplet, triplet } from '../losses/index.ts'
import { batchHard } from '../mining/index.ts'
import { collapseMessage, collapseWatch } from './collapse.ts'
import { effectiveRank } from './effective-rank.ts'

/** The events of a run of spreads, each as [step, event]. */
function events(watch: ReturnType<typeof collapseWatch>, spreads: readonly number[]) {
  return spreads.flatMap((spread, i) => {
    const event = watch.observe(spread)
    return event ? [[i + 1, event]] : []
  })
}
const repeat = (times: number, spread: number) => Array<number>(times).fill(spread)

test('ten narrow steps in a row are a collapse, told once; ten wide ones are the way back', () => {
  const watch = collapseWatch([0, 2])
  expect(events(watch, [...repeat(5, 0.4), ...repeat(40, 0.004), ...repeat(20, 0.4)])).toEqual([
    [15, 'collapsed'],
    [55, 'recovered'],
  ])
  expect(watch.healthy()).toBe(true)
})

test('single narrow batches, narrow starts that widen, and clusters that are merely close are none', () => {
  expect(events(collapseWatch([0, 2]), [...repeat(9, 0.001), 0.3, ...repeat(9, 0.001), 0.3])).toEqual([])
  expect(events(collapseWatch([0, 2]), repeat(100, 0.1))).toEqual([])
  const unbounded = collapseWatch([0, Number.POSITIVE_INFINITY])
  expect(events(unbounded, repeat(50, 0.001))).toEqual([])
  expect(events(unbounded, [...repeat(3, 10), ...repeat(10, 0.4)])).toEqual([[13, 'collapsed']])
})

test('distances that begin below zero are counted from their least; where there is none, nothing is said', () => {
  expect(events(collapseWatch([-1, 1]), repeat(10, -0.999))).toEqual([[10, 'collapsed']])
  expect(events(collapseWatch([-1, 1]), repeat(50, 0))).toEqual([])
  const unbounded: [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  expect(events(collapseWatch(unbounded), repeat(50, 0))).toEqual([])
})

test('after going back, a second collapse is told again', () => {
  const watch = collapseWatch([0, 2])
  expect(events(watch, repeat(10, 0.001))).toEqual([[10, 'collapsed']])
  watch.wentBack()
  expect(events(watch, repeat(10, 0.001))).toEqual([[10, 'collapsed']])
  watch.wentBack()
  expect(events(watch, repeat(10, 0.5))).toEqual([[10, 'recovered']])
})

test('the message says what was seen and only what can still be changed', () => {
  const seen = { step: 16, spread: 0.0084, widest: 0.5, learningRate: 0.001, onCollapse: 'warn' } as const
  const hard = collapseMessage(triplet({ mining: batchHard() }), seen)
  expect(hard).toContain('collapsed at step 16: the mean distance of two embeddings is 0.0084')
  for (const advice of [/learning rate \(0.001 now\)/, /semiHard or all/, /cosineMarginTriplet/, /choose recover/]) {
    expect(hard).toMatch(advice)
  }
  const smooth = collapseMessage(cosineMarginTriplet(), { ...seen, onCollapse: 'recover' })
  expect(smooth).not.toMatch(/semiHard|smooth loss|choose recover/)
})

test('the effective rank counts directions', () => {
  const rank = (rows: number[][]) =>
    effectiveRank({ dtype: 'float32', shape: [rows.length, rows[0]!.length], data: Float32Array.from(rows.flat()) })
  expect(
    rank([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0, 0, -1],
    ]),
  ).toBeGreaterThan(2.9)
  expect(
    rank([
      [1, 0],
      [0, 1],
    ]),
  ).toBeCloseTo(2)
  expect(
    rank([
      [1, 2],
      [2, 4],
      [-3, -6],
    ]),
  ).toBeCloseTo(1)
  expect(rank([[3, 0, 0, 0, 0]])).toBeCloseTo(1)
  // Singular values 3 and 1: exp of the entropy of (3/4, 1/4).
  expect(
    rank([
      [3, 0],
      [0, 1],
    ]),
  ).toBeCloseTo(Math.exp(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25)), 5)
  expect(
    rank([
      [0, 0],
      [0, 0],
    ]),
  ).toBe(0)
  expect(rank([[Number.NaN, 0]])).toBe(0)
})
