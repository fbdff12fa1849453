import { expect, test } from 'vitest'
import { channelBlock } from './channel-block.ts'

test('the runtime’s own convolutions are tried once in a process', async () => {
  const block = await channelBlock()
  expect([undefined, 8, 16]).toContain(block)
  expect(channelBlock()).toBe(channelBlock())
})
