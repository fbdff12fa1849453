import { expect, test } from 'vitest'
import { InterruptedError } from '../errors.ts'
import { openEngine } from './engine.ts'

test('opening can be stopped, and does not outlast it', async () => {
  const settings = { model: 'nowhere', index: 'nowhere', device: 'cpu' } as const
  await expect(openEngine(settings, 1, AbortSignal.abort())).rejects.toThrow(InterruptedError)
})

test('a model that is not there is named', async () => {
  const settings = { model: 'nowhere', index: 'nowhere', device: 'cpu' } as const
  await expect(openEngine(settings, 1, new AbortController().signal)).rejects.toThrow('There is no model at nowhere.')
})
