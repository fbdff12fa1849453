import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { mapConcurrently } from './map-concurrently.ts'

const items = Array.from({ length: 50 }, (_, i) => i)

test('keeps the order and the limit', async () => {
  let busy = 0
  let most = 0
  const results = await mapConcurrently(items, 4, async (item) => {
    most = Math.max(most, ++busy)
    // Later items finish first.
    for (let turn = 0; turn < 50 - item; turn++) await setImmediate()
    busy--
    return 10 * item
  })
  expect(results).toEqual(items.map((item) => 10 * item))
  expect(most).toBe(4)
  expect(await mapConcurrently([], 4, async () => 1)).toEqual([])
})

test('starts nothing more after a failure', async () => {
  const started: number[] = []
  const work = async (item: number) => {
    started.push(item)
    await setImmediate()
    if (item === 5) throw new Error('five')
  }
  await expect(mapConcurrently(items, 4, work)).rejects.toThrow('five')
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  expect(started.length).toBeLessThan(13)
})
