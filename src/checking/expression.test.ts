/** A formula as people write it means what mathematics says. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile } from '../compile.ts'
import { input } from '../graph/value.ts'
import { parseExpression } from './expression.ts'

async function evaluate(text: string, [ap, an, pn]: readonly number[], margin = 0.3): Promise<number> {
  const distances = {
    ap: input('ap', 'float32', [1]),
    an: input('an', 'float32', [1]),
    pn: input('pn', 'float32', [1]),
  }
  const { ap: a, an: b, pn: c } = distances
  const value = parseExpression(text).with(margin)(distances).add(a.add(b).add(c).mul(0))
  const program = await compile({ value })
  const row = (x: number) => ({ dtype: 'float32', shape: [1], data: Float32Array.of(x) }) as const
  const results = await program.run({ ap: row(ap!), an: row(an!), pn: row(pn!) })
  await program.release()
  return results.value!.data[0] as number
}

const softplus = (x: number) => Math.log1p(Math.exp(x))

test.each<[string, (ap: number, an: number, pn: number, margin: number) => number]>([
  ['max(ap - an + margin, 0)', (ap, an, _, m) => Math.max(ap - an + m, 0)],
  ['-ap^2', (ap) => -(ap ** 2)],
  ['(-ap)^2', (ap) => ap ** 2],
  ['2^3^ap', (ap) => 2 ** (3 ** ap)],
  ['ap - an - pn', (ap, an, pn) => ap - an - pn],
  ['ap / an / pn', (ap, an, pn) => ap / an / pn],
  ['2 ap + 3(an)', (ap, an) => 2 * ap + 3 * an],
  ['min(ap, an, pn) + max(1, 2)', (ap, an, pn) => Math.min(ap, an, pn) + 2],
  ['exp(ap) + log(an) + sqrt(pn)', (ap, an, pn) => Math.exp(ap) + Math.log(an) + Math.sqrt(pn)],
  ['softplus(16 * (ap - an + margin)) - relu(-ap)', (ap, an, _, m) => softplus(16 * (ap - an + m))],
  ['+1.5e-1', () => 0.15],
])('%s', async (text, expected) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0.1, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
      async (distances) => {
        const [ap, an, pn] = distances as [number, number, number]
        const [found, wanted] = [await evaluate(text, distances), expected(ap, an, pn, 0.3)]
        expect(Math.abs(found - wanted)).toBeLessThan(1e-5 + 1e-4 * Math.abs(wanted))
      },
    ),
    { numRuns: 10 },
  )
})
