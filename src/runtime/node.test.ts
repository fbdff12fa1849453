/** What every session is opened with: settings without which all results are the same, only slower or larger. */
import { availableParallelism } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { type Opened, watchSessions } from '../../test/sessions.ts'
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import type { SessionOptions } from './session.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const x = input('x', 'float32', [2])

/** The options that the runtime gets for a graph. */
async function received(options?: SessionOptions) {
  const found: Opened['options'][] = []
  await watchSessions(async (opened) => {
    const program = await compile({ y: x.mul(x) }, options)
    await program.release()
    found.push(...opened.map((each) => each.options))
  })
  expect(found).toHaveLength(1)
  return found[0]!
}

test('a product of tiny numbers is exactly zero', async ({ skip }) => {
  // The runtime sets this for the processor in the form that x86 has, and nowhere else.
  if (process.arch !== 'x64') skip(`ONNX Runtime cannot set this on ${process.arch}.`)
  const program = await compile({ y: x.mul(x) })
  // 10⁻⁴⁰ is below the smallest normal number, 1.2 · 10⁻³⁸, and above the smallest of all, 1.4 · 10⁻⁴⁵.
  const { y } = await program.run({ x: { dtype: 'float32', shape: [2], data: Float32Array.of(1e-20, 1e-18) } })
  expect(new Uint32Array(y!.data.slice().buffer)[0]).toBe(0)
  expect(y!.data[1]).toBeCloseTo(1e-36, 40)
  await program.release()
})

test('a session on the CPU is opened with the settings that were measured to be best', async () => {
  expect(await received({ threads: 3 })).toEqual({
    executionProviders: ['cpu'],
    intraOpNumThreads: 3,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'extended',
    enableMemPattern: false,
    extra: { session: { force_spinning_stop: '1', set_denormal_as_zero: '1' } },
    logSeverityLevel: 4,
  })
})

test('threads are those of the call, or of the environment, or one for each processor', async () => {
  vi.stubEnv('ISOMETRY_THREADS', '3')
  expect((await received({ threads: 2 })).intraOpNumThreads).toBe(2)
  expect((await received()).intraOpNumThreads).toBe(3)
  vi.stubEnv('ISOMETRY_THREADS', '')
  expect((await received()).intraOpNumThreads).toBe(availableParallelism())
  vi.stubEnv('ISOMETRY_THREADS', undefined)
  expect((await received()).intraOpNumThreads).toBe(availableParallelism())
})

test.each(['0', '-1', '1.5', 'all', ' 2', '1e3'])('ISOMETRY_THREADS=%j is refused', async (told) => {
  vi.stubEnv('ISOMETRY_THREADS', told)
  await expect(async () => compile({ y: x })).rejects.toThrow(
    `ISOMETRY_THREADS is ${told}; expected a whole number of at least 1.`,
  )
})
