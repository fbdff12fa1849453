/** Every operator that exists, forwards and backwards, against PyTorch's values. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { operators } from '../src/graph/operators/table.ts'
import { buildCase, type Case } from './operator-cases.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

test('operators and their gradients equal PyTorch', async () => {
  const { cases } = readReference<{ cases: Case[] }>('operators.json')
  const checked: Record<string, number> = {}
  const waiting: Record<string, number> = {}
  for (const each of cases) {
    const { operator, note = '' } = each
    if (!(operator in operators)) {
      waiting[operator] = (waiting[operator] ?? 0) + 1
      continue
    }
    const what = `${operator} ${note}`
    const { outputs, feeds } = buildCase(each, operator)
    const program = await compile(outputs)
    const results = await program.run(feeds)
    await program.release()
    const expected = [each.output, ...each.gradients.filter((gradient) => gradient !== null)]
    expect(Object.keys(outputs), what).toHaveLength(expected.length)
    Object.keys(outputs).forEach((name, i) => {
      expect(results[name]!.shape, `${what}: ${name}`).toEqual(expected[i]!.shape)
      expectClose(results[name]!.data, expected[i]!.data, `${what}: ${name}`)
    })
    checked[operator] = (checked[operator] ?? 0) + 1
  }
  report('operators', checked, waiting)
})
