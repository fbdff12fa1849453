/** The same graphs on WebGPU and on the CPU, where there is an adapter: a graphics card, or Chromium's in software. */
import { beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { resolveDevice } from '../src/device.ts'
import { convolutional, type Encoder, mlp } from '../src/encoders/index.ts'
import { input, type Value } from '../src/graph/value.ts'
import { triplet } from '../src/losses/index.ts'
import { sgd } from '../src/optimizers/index.ts'
import { random } from '../src/random.ts'
import { type Device, dispose, type FallbackNode, isOnDevice, type Tensors } from '../src/runtime/session.ts'
import type { Batch } from '../src/training/batch.ts'
import { createStep } from '../src/training/step.ts'
import { missingAdapter } from './adapter.ts'
import { buildCase, type Case } from './operator-cases.ts'
import { readReference } from './reference.ts'
import { expectClose } from './tolerance.ts'

let missing: string | undefined
beforeAll(async () => {
  missing = await missingAdapter()
}, 60_000)

/** WGSL lets a sine be off by 2⁻¹¹. */
const rough = new Set(['Sin', 'Cos'])

describe('on WebGPU', { timeout: 120_000 }, () => {
  test('every operator of the reference, with its gradients, gives what it gives on the CPU', async ({ skip }) => {
    if (missing) skip(missing)
    const { cases } = readReference<{ cases: Case[] }>('operators.json')
    const [outputs, feeds]: [Record<string, Value>, Tensors[]] = [{}, []]
    for (const [i, each] of cases.entries()) {
      const built = buildCase(each, `${each.operator} ${i}`)
      Object.assign(outputs, built.outputs)
      feeds.push(built.feeds)
    }
    const run = async (device: Device, onFallback?: (nodes: readonly FallbackNode[]) => void) => {
      const program = await compile(outputs, { device, onFallback })
      const results = await program.run(Object.assign({}, ...feeds))
      await program.release()
      return results
    }
    let fallback: readonly FallbackNode[] = []
    const [expected, found] = [
      await run('cpu'),
      await run('webgpu', (nodes) => {
        fallback = nodes
      }),
    ]
    for (const [name, { data }] of Object.entries(expected)) {
      expectClose(found[name]!.data, data, name, rough.has(name.split(' ')[0]!) ? 1e-3 : 1e-4, 1e-4)
    }
    // What the device has no kernel for is said, and is a few nodes of hundreds.
    expect(fallback.length).toBeGreaterThan(0)
    expect(fallback.length).toBeLessThan(0.1 * Object.keys(outputs).length)
  })

  const size = { channels: 1, height: 10, width: 9 }
  const encoders: [string, Encoder][] = [
    ['dense layers', mlp({ input: size, hidden: [16], dimension: 6 })],
    ['convolutions with batch normalisation', convolutional({ input: size, channels: [4, 6], dimension: 6 })],
  ]

  test('an output that stays there has no data here, and is fed again', async ({ skip }) => {
    if (missing) skip(missing)
    const a = input('a', 'float32', [3])
    const program = await compile({ next: a.add(1), sum: a.sum() }, { device: 'webgpu', resident: ['next'] })
    const first = await program.run({ a: { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) } })
    expect(isOnDevice(first.next!)).toBe(true)
    expect(() => first.next!.data).toThrow(/has no data here/)
    const second = await program.run({ a: first.next! })
    expect([...second.sum!.data]).toEqual([9])
    for (const tensor of [first.next!, second.next!]) dispose(tensor)
    await program.release()
  })

  test('parameters stay there between steps, and come back for a snapshot, an undo and in parts', async ({ skip }) => {
    if (missing) skip(missing)
    const encoder = encoders[0]![1]
    const { integer } = random(1, 'pixels')
    const batchOf = (): Batch => {
      const data = Uint8Array.from({ length: 12 * 90 }, () => integer(256))
      const pixels = { dtype: 'uint8', shape: [12, 1, 10, 9], data } as const
      return { inputs: { pixels }, labels: Int32Array.from({ length: 12 }, (_, i) => i >> 1) }
    }
    const batches = [batchOf(), batchOf(), batchOf()]
    const journey = async (device: Device) => {
      const options = {
        encoder,
        loss: triplet(),
        optimizer: sgd({ momentum: 0.9 }),
        variables: encoder.variables(0),
        largestClass: 2,
        device,
      }
      const step = createStep(options)
      const flat = async () => Object.values(await step.variables()).flatMap(({ data }) => [...data])
      await step.run([batches[0]!], 0.05)
      const snapshot = await step.snapshot()
      const first = await flat()
      await step.run([batches[1]!], 0.05)
      await step.run([batches[2]!], 0.05)
      step.undo()
      const second = await flat()
      await step.restore(snapshot)
      expect(await flat()).toEqual(first)
      await step.run([batches[1]!, batches[2]!], 0.05)
      const third = await flat()
      await step.release()
      return [...first, ...second, ...third]
    }
    expectClose(await journey('webgpu'), await journey('cpu'), 'parameters', 1e-3, 1e-3)
  })

  test.for(encoders)('a step through %s moves the parameters as on the CPU', async ([, encoder], { skip }) => {
    if (missing) skip(missing)
    // One step at the rate 1 is the gradient; over several, roundings of a relu or a maximum drift apart.
    const { integer } = random(0, 'pixels')
    const rows = 12
    const data = Uint8Array.from({ length: rows * 90 }, () => integer(256))
    const batch = {
      inputs: { pixels: { dtype: 'uint8', shape: [rows, 1, 10, 9], data } as const },
      labels: Int32Array.from({ length: rows }, (_, i) => i >> 1),
    }
    const after = async (device: Device) => {
      const variables = encoder.variables(0)
      const step = createStep({ encoder, loss: triplet(), optimizer: sgd({}), variables, largestClass: 2, device })
      const { loss } = await step.run([batch], 1)
      const held = Object.entries(await step.variables()).map(([name, each]) => [name, each.data.slice()] as const)
      await step.release()
      return { loss, held }
    }
    const [expected, found] = [await after('cpu'), await after('webgpu')]
    expectClose([found.loss], [expected.loss], 'loss')
    for (const [i, [name, data0]] of expected.held.entries()) expectClose(found.held[i]![1], data0, name)
  })
})

test('a device that is not there: what is, and what to do', async ({ skip }) => {
  const found = await resolveDevice('cuda').catch((error: Error) => error.message)
  if (found === 'cuda') skip('Here CUDA is there.')
  expect(found).toMatch(/^The device cuda cannot be used here; there is cpu.*--onnxruntime-node-install=cuda12/)
})

test('auto takes a device that is there, and the CPU is always one', { timeout: 60_000 }, async () => {
  expect(['cpu', 'webgpu', 'cuda']).toContain(await resolveDevice('auto'))
  expect(await resolveDevice('cpu')).toBe('cpu')
})
