/** What a terminal shows of training, as wide as it is. */
import { expect, test } from 'vitest'
import type { StepRecord } from '../training/index.ts'
import { prose } from './paragraph.ts'
import { progress } from './progress.ts'

const record = (step: number): StepRecord => ({
  step,
  loss: 0.25,
  positiveDistance: 0.125,
  negativeDistance: 1.5,
  spread: 0.5,
  gradientNorm: 1,
})

/** The lines of a terminal after some steps: what follows a carriage return takes the place of what was there. */
function shown(columns: number, during?: (shown: ReturnType<typeof progress>) => void): string[] {
  let written = ''
  const display = progress({ isTTY: true, columns, write: (text) => (written += text) })
  display.show({ kind: 'begin', steps: 12, done: 0 })
  for (let step = 1; step <= 12; step++) display.show({ kind: 'step', record: record(step) })
  during?.(display)
  display.end()
  return written
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\r').at(-1)!.replaceAll('\x1b[K', ''))
}

test.each([
  [120, /^step 12\/12 █{16} loss 0\.2500 · positives 0\.125 · negatives 1\.50 · \S+ steps\/s · done in 0:00$/],
  [80, /^step 12\/12 loss 0\.2500 · positives 0\.125 · negatives 1\.50 · done in 0:00$/],
  [60, /^step 12\/12 loss 0\.2500 · \S+ steps\/s · done in 0:00$/],
  [40, /^step 12\/12 loss 0\.2500 · done in 0:00$/],
  [28, /^step 12\/12 done in 0:00$/],
  [9, /^step 12\/$/],
])('a line of %d columns holds whole parts, those that say most', (columns, line) => {
  const [last, ...more] = shown(columns)
  expect(last).toMatch(line)
  expect(last!.length).toBeLessThan(columns)
  expect(more).toEqual([])
})

test('a warning comes before the line, broken between words', () => {
  const [first, second, last] = shown(40, ({ say }) => say('what is long is broken where there is room'))
  expect(first).toBe('warning: what is long is broken where')
  expect(second).toBe('there is room')
  expect(last).toMatch(/^step 12\/12 loss/)
})

test('prose is broken on a terminal alone, and lines that fit stay as they are', () => {
  const text = '   a   table   of figures\nwords that go on and on\n'
  const broken = '   a   table   of figures\nwords that go on and on\n'
  expect(prose(text, { isTTY: false as true, columns: 10 })).toBe(text)
  expect(prose(text, { isTTY: true, columns: 30 })).toBe(broken)
  expect(prose('words that go on and on\n', { isTTY: true, columns: 12 })).toBe('words that\ngo on and\non\n')
})
