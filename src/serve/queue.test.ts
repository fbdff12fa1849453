import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createQueue } from './queue.ts'

const never = new AbortController().signal

/** Work that ends when it is told to. */
function held() {
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { end: () => end(), work: () => done }
}

test('one after the other, in their order, and no more than may wait', async () => {
  const queue = createQueue(2)
  const { work, end } = held()
  const order: number[] = []
  const first = queue.run(work, never).then(() => order.push(0))
  const others = [1, 2].map((i) => queue.run(async () => order.push(i), never))
  expect(queue.waiting).toBe(2)
  expect(() => queue.run(async () => 3, never)).toThrow(
    expect.objectContaining({ status: 429, headers: { 'retry-after': '1' } }),
  )
  await setImmediate()
  expect(order).toEqual([])
  end()
  await Promise.all([first, ...others])
  expect(order).toEqual([0, 1, 2])
  expect(await queue.run(async () => 4, never)).toBe(4)
})

test('work of a client that has gone is left out; work that fails holds nobody up', async () => {
  const queue = createQueue(4)
  const { work, end } = held()
  const gone = new AbortController()
  let isDone = false
  const first = queue.run(work, never)
  const left = queue.run(async () => {
    isDone = true
  }, gone.signal)
  const failing = queue.run(async () => {
    throw new Error('no')
  }, never)
  const last = queue.run(async () => 'last', never)
  expect(queue.waiting).toBe(3)
  gone.abort(new Error('gone'))
  expect(queue.waiting).toBe(2)
  await expect(left).rejects.toThrow('gone')
  end()
  const outcomes = await Promise.allSettled([first, left, failing, last])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(isDone).toBe(false)
})
