/** Time and memory of all triplets of a batch as it grows, as bench/batch.ts measured them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { colors, draw } from './chart.ts'

interface Measured {
  readonly loss: string
  readonly classes: string
  readonly batch: number
  readonly milliseconds: number
  readonly mebibytes: number
}

const kinds = [
  { loss: 'triplet', classes: 'even', name: 'hinge', color: colors.blue },
  { loss: 'triplet', classes: 'uneven', name: 'hinge, uneven', color: colors.sky },
  { loss: 'cosineMarginTriplet', classes: 'even', name: 'eq. 9', color: colors.orange },
  { loss: 'cosineMarginTriplet', classes: 'uneven', name: 'eq. 9, uneven', color: colors.pink },
]

export async function batch() {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'bench', 'batch.jsonl'), 'utf8')
  const measured = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Measured)
  const lines = (of: (each: Measured) => number) =>
    kinds.map(({ loss, classes, name, color }) => ({
      name,
      color,
      points: measured
        .filter((each) => each.loss === loss && each.classes === classes)
        .map((each) => [each.batch, of(each)] as const),
    }))
  const x = { name: 'batch', from: 512, to: 8192, base: 2 }
  // What the cube of all triplets alone would take, of numbers of four bytes.
  const cube = [512, 1024, 2048].map((n) => [n, (4 * n ** 3) / 2 ** 20] as const)
  await draw('batch', [
    {
      title: 'Loss and gradient, two threads',
      x,
      y: { name: 'milliseconds', from: 1, to: 1_000_000, base: 10 },
      lines: lines(({ milliseconds }) => milliseconds),
    },
    {
      title: 'Memory of the whole process',
      x,
      y: { name: 'MiB', from: 100, to: 100_000, base: 10 },
      lines: [
        ...lines(({ mebibytes }) => mebibytes),
        { name: 'the cube', color: colors.grey, dashed: true, points: cube },
      ],
    },
  ])
}
