/** Schedules, groups of parameters and clipping. The rules themselves are held against PyTorch in test/. */
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { UsageError } from '../errors.ts'
import { input, scalar, type Value } from '../graph/value.ts'
import type { Tensors } from '../runtime/session.ts'
import { adam, clipByGlobalNorm, grouped, type Optimizer, rmsprop, schedules, sgd } from './index.ts'

/** One step from the parameters given, with these gradients and a rate of 0.1. */
async function step(optimizer: Optimizer, parameters: Record<string, number[]>, gradients: Record<string, number[]>) {
  const inputsOf = (prefix: string, of: Record<string, readonly number[]>) =>
    Object.fromEntries(Object.entries(of).map(([name, x]) => [name, input(prefix + name, 'float32', [x.length])]))
  const shapes = Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, [x.length]]))
  const state = optimizer.state(shapes)
  const held: Record<string, Value> = Object.fromEntries(
    Object.entries(state).map(([name, shape]) => [name, input(`s ${name}`, 'float32', shape)]),
  )
  const rate = input('rate', 'float32', [])
  const updated = optimizer.update(inputsOf('g ', gradients), held, inputsOf('p ', parameters), rate)
  const program = await compile({ ...updated.parameters })
  const row = (x: readonly number[]) => ({ dtype: 'float32', shape: [x.length], data: Float32Array.from(x) }) as const
  const results = await program.run({
    ...Object.fromEntries(Object.entries(parameters).map(([name, x]) => [`p ${name}`, row(x)])),
    ...Object.fromEntries(Object.entries(gradients).map(([name, x]) => [`g ${name}`, row(x)])),
    ...Object.fromEntries(
      Object.entries(state).map(([name, shape]) => [
        `s ${name}`,
        { dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) } as const,
      ]),
    ),
    rate: { dtype: 'float32', shape: [], data: Float32Array.of(0.1) },
  })
  await program.release()
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]))
}

const close = (found: Record<string, number[]>, expected: Record<string, number[]>) => {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
  for (const [name, values] of Object.entries(expected)) {
    for (const [i, value] of values.entries()) expect(found[name]![i], name).toBeCloseTo(value, 5)
  }
}

test('clipping the gradients of a group, where there may be none, leaves the others alone', async () => {
  const optimizer = grouped([{ match: /^a/, optimizer: sgd() }], clipByGlobalNorm(sgd(), 1))
  close(await step(optimizer, { a: [1] }, { a: [5] }), { a: [0.5] })
  close(await step(optimizer, { a: [1], b: [1] }, { a: [5], b: [5] }), { a: [0.5], b: [0.9] })
})

test('each group has a rule, a rate and a weight decay of its own; the first that matches takes a parameter', async () => {
  const optimizer = grouped(
    [
      { match: /^frozen/, optimizer: sgd(), rate: 0 },
      { match: /^backbone/, optimizer: sgd({ weightDecay: 0.5 }), rate: 0.1 },
      { match: /weight$/, optimizer: adam() },
    ],
    sgd(),
  )
  const parameters = { 'frozen.weight': [1], 'backbone.weight': [2], 'head.weight': [3], 'head.bias': [4] }
  const gradients = { 'frozen.weight': [9], 'backbone.weight': [1], 'head.weight': [7], 'head.bias': [2] }
  close(await step(optimizer, parameters, gradients), {
    'frozen.weight': [1],
    'backbone.weight': [2 - 0.01 * (1 + 0.5 * 2)],
    // Adam's first step is as long as the rate, whatever the gradient.
    'head.weight': [3 - 0.1],
    'head.bias': [4 - 0.1 * 2],
  })
  expect(optimizer.settings).toMatchObject({
    'group1.match': '^backbone',
    'group1.rate': 0.1,
    'group3.match': 'the rest',
  })
})

test('RMSprop with momentum goes on by a share of its last step', async () => {
  const [alpha, epsilon, momentum, weightDecay, rate] = [0.9, 1e-3, 0.5, 0.01, 0.1]
  const rule = rmsprop({ alpha, epsilon, momentum, weightDecay })
  const names = ['p', ...Object.keys(rule.state({ p: [2] }))]
  const { p: before, ...state } = Object.fromEntries(names.map((name) => [name, input(name, 'float32', [2])]))
  const { parameters, state: kept } = rule.update(
    { p: input('g', 'float32', [2]) },
    state,
    { p: before! },
    scalar(rate),
  )
  const after = Object.entries({ ...parameters, ...kept })
  const program = await compile(Object.fromEntries(after.map(([name, value]) => [`next ${name}`, value])))
  const row = (x: ArrayLike<number>) => ({ dtype: 'float32', shape: [2], data: Float32Array.from(x) }) as const
  let now: Tensors = Object.fromEntries(names.map((name) => [name, row(name === 'p' ? [1, -2] : [0, 0])]))
  // PyTorch's rule, in float64: the momentum is of the scaled gradients, and the rate comes last.
  const [p, square, velocity] = [
    [1, -2],
    [0, 0],
    [0, 0],
  ]
  for (const gradients of [
    [0.5, -3],
    [0.25, 2],
    [-1, 0.125],
  ]) {
    const results = await program.run({ ...now, g: row(gradients) })
    now = Object.fromEntries(names.map((name) => [name, results[`next ${name}`]!]))
    for (const [i, each] of gradients.entries()) {
      const g = each + weightDecay * p[i]!
      square[i] = alpha * square[i]! + (1 - alpha) * g * g
      velocity[i] = momentum * velocity[i]! + g / (Math.sqrt(square[i]!) + epsilon)
      p[i]! -= rate * velocity[i]!
      expect(now.p!.data[i]).toBeCloseTo(p[i]!, 5)
    }
  }
  await program.release()
})

test('a group that matches nothing, and a negative rate, are mistakes', () => {
  const none = grouped([{ match: /^backbone/, optimizer: sgd() }], sgd())
  expect(() => none.state({ weight: [1] })).toThrow(/backbone.* matches no parameter. There are weight/)
  expect(() => grouped([{ match: /x/, optimizer: sgd(), rate: -1 }], sgd())).toThrow(UsageError)
})

test('clipping shortens all gradients together, and only long ones', async () => {
  const parameters = { a: [0, 0], b: [0] }
  const long = { a: [3, 0], b: [4] }
  close(await step(clipByGlobalNorm(sgd(), 1), parameters, long), { a: [-0.06, 0], b: [-0.08] })
  close(await step(clipByGlobalNorm(sgd(), 10), parameters, long), { a: [-0.3, 0], b: [-0.4] })
  expect(() => clipByGlobalNorm(sgd(), 0)).toThrow(/above 0, found 0/)
})

test('schedules begin, turn and end where they should', () => {
  const { constant, cosine, linearWarmup, oneCycle, stepwise } = schedules
  const run = (schedule: schedules.Schedule, steps: number) =>
    Array.from({ length: steps }, (_, i) => schedule.factor(i + 1, steps))
  expect(run(constant(), 3)).toEqual([1, 1, 1])
  expect(run(linearWarmup({ warmup: 0.4 }), 10).map((x) => Number(x.toFixed(3)))).toEqual([
    0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1,
  ])
  const falling = run(cosine({ final: 0.1 }), 11)
  expect([falling[0], falling[5], falling[10]].map((x) => x!.toFixed(4))).toEqual(['1.0000', '0.5500', '0.1000'])
  expect(run(stepwise({ every: 0.5, gamma: 0.1 }), 4)).toEqual([1, 1, 0.1, 0.1])
  expect(run(linearWarmup({ warmup: 0.5, next: cosine() }), 8).map((x) => x.toFixed(2))).toEqual([
    ...['0.25', '0.50', '0.75', '1.00'],
    ...['1.00', '0.75', '0.25', '0.00'],
  ])
  // Those of PyTorch's OneCycleLR with max_lr 1, 10 steps and its defaults.
  const expected = [0.04, 0.52, 1, 0.950485, 0.811746, 0.611262, 0.388742, 0.188258, 0.049519, 0.000004]
  for (const [i, factor] of run(oneCycle(), 10).entries()) expect(factor).toBeCloseTo(expected[i]!, 6)
  for (const schedule of [constant(), linearWarmup(), cosine(), stepwise(), oneCycle()]) {
    for (const steps of [1, 2, 3, 100]) {
      for (const factor of run(schedule, steps)) expect(factor).toSatisfy((x: number) => x >= 0 && x <= 1)
    }
  }
  expect(() => linearWarmup({ warmup: 2 })).toThrow(/warmup must be from 0 to 1, found 2/)
  expect(() => oneCycle({ start: 0 })).toThrow(/start must be at least 1/)
  expect(() => stepwise({ every: 0 })).toThrow(UsageError)
})
