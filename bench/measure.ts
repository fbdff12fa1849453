/** Timing that can be trusted on a noisy machine: alternated runs, medians. */

/** The median time of each task in milliseconds, the tasks taking turns, after two rounds that are not counted. */
export async function medians(tasks: readonly (() => Promise<unknown>)[], rounds: number): Promise<number[]> {
  const times = tasks.map((): number[] => [])
  for (let round = -2; round < rounds; round++) {
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
