/** Every operator of the reference, forwards and backwards, against PyTorch's values. */
import { expect, test } from 'vitest'
import { compile } from '../src/compile.ts'
import { buildCase, type Case } from './operator-cases.ts'
import { readReference, report } from './reference.ts'
import { expectClose } from './tolerance.ts'

test('operators and their gradients equal PyTorch', async () => {
  const { cases } = readReference<{ cases: Case[] }>('operators.json')
  const checked: Record<string, number> = {}
  for (const each of cases) {
    const { operator, note = '' } = each
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
  report('operators', checked)
  // A case that the reference lost would otherwise be missed by nobody.
  expect([cases.length, Object.keys(checked).length]).toEqual([104, 73])
})
