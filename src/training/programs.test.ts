/** How many compiled programs are kept, and which. */
import { expect, test } from 'vitest'
import { watchSessions } from '../../test/sessions.ts'
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import { programs } from './programs.ts'

/** Asks for programs of so many rows, one after another; how many rows each program has that is still open, as compiled. */
async function open(rows: readonly number[], kept?: number): Promise<number[]> {
  const compiled: number[] = []
  let left: number[] = []
  await watchSessions(async (opened) => {
    const known = programs(kept)
    for (const each of rows) {
      const { program } = await known.get(`${each} rows`, async () => {
        compiled.push(each)
        return { program: await compile({ y: input('x', 'float32', [each]).add(1) }) }
      })
      const x = { dtype: 'float32', shape: [each], data: new Float32Array(each) } as const
      expect((await program.run({ x })).y!.shape).toEqual([each])
    }
    expect(opened).toHaveLength(compiled.length)
    left = compiled.filter((_, i) => !opened[i]!.released)
    await known.release()
    expect(opened.every(({ released }) => released)).toBe(true)
  })
  return left
}

test('of twenty programs the last eight are kept, and the others give their memory back', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => i + 1)
  expect(await open(rows)).toEqual(rows.slice(-8))
})

test('what was used last is kept, and what is kept is not compiled again', async () => {
  expect(await open([1, 2, 1, 3], 2)).toEqual([1, 3])
  expect(await open([1, 2, 1, 2, 1, 2], 2)).toEqual([1, 2])
  // What is gone is compiled once more.
  expect(await open([1, 2, 3, 1], 2)).toEqual([3, 1])
})
