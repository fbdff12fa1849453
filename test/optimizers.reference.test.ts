/** Ten steps of each optimiser, against PyTorch's. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { differentiate } from '../src/graph/differentiate.ts'
import { constant, input } from '../src/graph/value.ts'
import { adagrad, adam, adamW, clipByGlobalNorm, type Optimizer, rmsprop, sgd } from '../src/optimizers/index.ts'
import type { Tensor } from '../src/tensor.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

interface Reference {
  W0: number[]
  b0: number[]
  X: number[]
  Y: number[]
  shapes: Record<'W' | 'b' | 'X' | 'Y', number[]>
  runs: {
    optimizer: string
    clipGlobalNorm: number | null
    settings: Record<string, number | boolean | number[]>
    losses: number[]
    W: number[]
    b: number[]
  }[]
}

function ruleOf({ optimizer, settings }: Reference['runs'][number]): Optimizer {
  const weightDecay = settings.weight_decay as number
  const epsilon = settings.eps as number
  const momentum = settings.momentum as number
  if (optimizer.startsWith('sgd')) return sgd({ momentum, nesterov: settings.nesterov as boolean, weightDecay })
  if (optimizer === 'rmsprop') return rmsprop({ alpha: settings.alpha as number, epsilon, momentum, weightDecay })
  if (optimizer === 'adagrad') return adagrad({ epsilon, weightDecay })
  if (!optimizer.startsWith('adam')) throw new Error(`There is no ${optimizer}.`)
  const [beta1, beta2] = settings.betas as [number, number]
  const options = { beta1, beta2, epsilon, weightDecay, amsgrad: settings.amsgrad as boolean }
  return optimizer === 'adamw' ? adamW(options) : adam(options)
}

function optimizerOf(run: Reference['runs'][number]): Optimizer {
  const rule = ruleOf(run)
  return run.clipGlobalNorm === null ? rule : clipByGlobalNorm(rule, run.clipGlobalNorm)
}

test('optimisers take the steps that PyTorch takes', async () => {
  const { W0, b0, X, Y, shapes, runs } = readReference<Reference>('training/optimizers.json')
  const checked: Record<string, number> = {}
  for (const each of runs) {
    const name = each.clipGlobalNorm === null ? each.optimizer : `${each.optimizer} clipped`
    const optimizer = optimizerOf(each)
    const parameters = { W: input('W', 'float32', shapes.W), b: input('b', 'float32', shapes.b) }
    const output = constant('float32', shapes.X, X).matmul(parameters.W).add(parameters.b).tanh()
    const loss = output
      .sub(constant('float32', shapes.Y, Y))
      .square()
      .mean()
    const [W, b] = differentiate(loss, [parameters.W, parameters.b])
    const state = optimizer.state({ W: shapes.W, b: shapes.b })
    const held = Object.fromEntries(Object.entries(state).map(([key, shape]) => [key, input(key, 'float32', shape)]))
    const next = optimizer.update({ W: W!, b: b! }, held, parameters, input('rate', 'float32', []))
    const program = await compile({
      loss,
      ...Object.fromEntries(
        Object.entries({ ...next.parameters, ...next.state }).map(([key, value]) => [`next ${key}`, value]),
      ),
    })
    const tensor = (shape: readonly number[], data: Float32Array): Tensor => ({ dtype: 'float32', shape, data })
    let current: Record<string, Tensor> = {
      W: tensor(shapes.W, Float32Array.from(W0)),
      b: tensor(shapes.b, Float32Array.from(b0)),
      ...Object.fromEntries(
        Object.entries(state).map(([key, shape]) => [
          key,
          tensor(shape, new Float32Array(shape.reduce((product, extent) => product * extent, 1))),
        ]),
      ),
    }
    const losses: number[] = []
    for (let step = 0; step < each.losses.length; step++) {
      const results = await program.run({ ...current, rate: tensor([], Float32Array.of(each.settings.lr as number)) })
      losses.push(results.loss!.data[0] as number)
      current = Object.fromEntries(Object.keys(current).map((key) => [key, results[`next ${key}`]!]))
    }
    await program.release()
    expectClose(losses, each.losses, `${name}: losses`, 1e-5, 1e-6)
    expectClose(current.W!.data as Float32Array, each.W, `${name}: W`, 1e-5, 1e-5)
    expectClose(current.b!.data as Float32Array, each.b, `${name}: b`, 1e-5, 1e-5)
    checked[name] = (checked[name] ?? 0) + 1
  }
  report('optimisers', checked)
  // Eight of them, each with and without clipping: a run that the reference lost would otherwise be missed by nobody.
  expect([runs.length, Object.keys(checked).length]).toEqual([16, 16])
})
