/** Timing that can be trusted on a noisy machine: alternated runs, medians. */
import { compile } from '../src/compile.ts'
import { input } from '../src/graph/value.ts'
import { allocate } from '../src/tensor.ts'

/** A product of two 2048 × 2048 matrices, on two threads. */
export async function matrixProduct() {
  const type = { dtype: 'float32', shape: [2048, 2048] } as const
  const [a, b] = [input('a', type.dtype, type.shape), input('b', type.dtype, type.shape)]
  const program = await compile({ largest: a.matmul(b).max() }, { threads: 2 })
  const feed = { ...type, data: allocate(type).fill(1 as never) }
  return { run: () => program.run({ a: feed, b: feed }), operations: 2 * 2048 ** 3, release: () => program.release() }
}

/** How many billion operations a second that product reaches. */
export async function matrixRate(): Promise<number> {
  const { run, operations, release } = await matrixProduct()
  const [time] = await medians([run], 9)
  await release()
  return operations / 1e6 / time!
}

/** The median time of each task in milliseconds, the tasks taking turns, after rounds that are not counted. */
export async function medians(
  tasks: readonly (() => Promise<unknown>)[],
  rounds: number,
  uncounted = 2,
): Promise<number[]> {
  const times = tasks.map((): number[] => [])
  for (let round = -uncounted; round < rounds; round++) {
    for (const [i, task] of tasks.entries()) {
      const start = performance.now()
      await task()
      if (round >= 0) times[i]!.push(performance.now() - start)
    }
  }
  return times.map(median)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
