/** A loss as a function of a triplet's distances: its value, its pull and its push at any of them. */
import { compile } from '../compile.ts'
import { differentiate } from '../graph/differentiate.ts'
import { input, type Value } from '../graph/value.ts'
import type { TripletFormula } from '../losses/loss.ts'
import type { Metric } from '../metrics/metric.ts'
import type { Program } from '../runtime/session.ts'
import { DIMENSION, type Path } from './path.ts'
import type { Runner } from './runner.ts'
import type { Distances, Sample } from './sample.ts'

export interface Probe {
  /** Samples at distances, or as near to them as embeddings can be placed. */
  at(distances: readonly Distances[]): Promise<Sample[]>
  release(): Promise<void>
}

/** For a loss that is known as a formula: exactly at the distances, whether or not embeddings can have them. */
export function probeFormula(formula: TripletFormula): Probe {
  const programs = new Map<number, Program>()
  const names = ['ap', 'an', 'pn'] as const

  async function programFor(n: number): Promise<Program> {
    const known = programs.get(n)
    if (known) return known
    const [ap, an, pn] = names.map((name) => input(name, 'float32', [n])) as [Value, Value, Value]
    const value = separately(formula({ ap, an, pn }), [ap, an, pn])
    const [byAp, byAn, byPn] = differentiate(value.sum(), [ap, an, pn])
    const program = await compile({ value, byAp: byAp!, byNegative: byAn!.add(byPn!) })
    programs.set(n, program)
    return program
  }

  async function run(distances: readonly Distances[]): Promise<Sample[]> {
    const n = distances.length
    const column = (name: (typeof names)[number]) =>
      ({ dtype: 'float32', shape: [n], data: Float32Array.from(distances, (each) => each[name]) }) as const
    const program = await programFor(n)
    const results = await program.run({ ap: column('ap'), an: column('an'), pn: column('pn') })
    const [value, byAp, byNegative] = ['value', 'byAp', 'byNegative'].map((name) => results[name]!.data as Float32Array)
    return distances.map((each, i) => ({ ...each, value: value![i]!, pull: byAp![i]!, push: -byNegative![i]! }))
  }

  async function oneByOne(distances: readonly Distances[]): Promise<Sample[]> {
    const samples: Sample[] = []
    for (const each of distances) samples.push(...(await run([each])))
    return samples
  }

  return {
    // A formula that mixes its triplets is asked about one at a time.
    at: mixesTriplets(formula) ? oneByOne : run,
    async release() {
      for (const program of programs.values()) await program.release()
    },
  }
}

/** Whether a formula gives one number for all triplets, where each should have a term of its own. */
export function mixesTriplets(formula: TripletFormula): boolean {
  const [ap, an, pn] = ['ap', 'an', 'pn'].map((name) => input(name, 'float32', [2])) as [Value, Value, Value]
  return formula({ ap, an, pn }).shape.length === 0
}

/** All inputs have a part in the value, so that each is an input of its graph. */
function separately(value: Value, inputs: readonly Value[]): Value {
  return inputs.reduce((sum, each) => sum.add(each.mul(0)), value)
}

/**
 * For any other loss: triplets are laid out at the distances, and the gradient of the embeddings is taken apart into how
 * much of it goes along the gradient of each distance.
 */
export async function probeEmbeddings(metric: Metric, path: Path, loss: Runner): Promise<Probe> {
  const { measure, release } = pairProgram(metric)
  const at = async (distances: readonly Distances[]) => {
    const placed = distances.map(({ ap, an }) => tripletAt(path, path.place(ap), path.place(an), loss))
    // All at once: a run of its own for each pair would take longer than all else.
    const pairs = await measure(
      placed.flatMap(([a, p, n, o]) => [[a!, p!], [a!, n!], [p!, n!], ...(o ? [[n!, o] as const] : [])] as const),
    )
    const each = pairs.length / placed.length
    const samples: Sample[] = []
    for (const [i, rows] of placed.entries()) {
      const { value, gradient } = await loss.run(rows, [0, 0, 1])
      const own = pairs.slice(i * each, (i + 1) * each)
      const [toPositive, toNegative, between, apart] = own as [Pair, Pair, Pair, Pair?]
      const negative = [toNegative.second, between.second, ...(apart ? [apart.first] : [])]
      const [pull] = components(gradient[1]!, [toPositive.second, between.first])
      const [awayFromAnchor, awayFromPositive, awayFromOther = 0] = components(gradient[2]!, negative)
      samples.push({
        ap: toPositive.distance,
        an: toNegative.distance,
        pn: between.distance,
        value,
        pull: pull!,
        push: -(awayFromAnchor! + awayFromPositive! + awayFromOther),
      })
    }
    return samples
  }
  return { at, release }
}

/** Anchor, positive and negative at places of the path, and a second negative where the loss wants one: far from the first. */
export function tripletAt(path: Path, positive: number, negative: number, { form }: Runner): (readonly number[])[] {
  const rows = [path.at(0, 0), path.at(positive, 0), path.at(negative, 1)]
  return form === 'quadruplets' ? [...rows, path.at(1 - negative, 2)] : rows
}

type Row = readonly number[]

/** The distance of two embeddings and its gradient with respect to each. */
export interface Pair {
  readonly distance: number
  readonly first: Row
  readonly second: Row
}

/** Measures pairs of embeddings; each number of them has a program. */
export function pairProgram(metric: Metric) {
  const programs = new Map<number, Program>()

  async function programFor(n: number): Promise<Program> {
    const known = programs.get(n)
    if (known) return known
    const [a, b] = [input('a', 'float32', [n, DIMENSION]), input('b', 'float32', [n, DIMENSION])]
    const distances = metric.pairwise(a, b)
    const [first, second] = differentiate(distances.sum(), [a, b])
    const program = await compile({ distances, first: first!, second: second! })
    programs.set(n, program)
    return program
  }

  async function measure(pairs: readonly (readonly [Row, Row])[]): Promise<Pair[]> {
    const program = await programFor(pairs.length)
    const side = (i: 0 | 1) => {
      const data = Float32Array.from(pairs.flatMap((pair) => pair[i]))
      return { dtype: 'float32', shape: [pairs.length, DIMENSION], data } as const
    }
    const results = await program.run({ a: side(0), b: side(1) })
    const [distances, first, second] = ['distances', 'first', 'second'].map((name) => results[name]!.data) as [
      ...Float32Array[],
    ]
    const row = (of: Float32Array, i: number) => [...of.subarray(i * DIMENSION, (i + 1) * DIMENSION)]
    return pairs.map((_, i) => ({ distance: distances![i]!, first: row(first!, i), second: row(second!, i) }))
  }

  return {
    measure,
    distance: async (x: Row, y: Row) => (await measure([[x, y]]))[0]!,
    async release() {
      for (const program of programs.values()) await program.release()
    },
  }
}

/** The least-squares coefficients of a vector in others; 0 along those that vanish or repeat others. */
export function components(vector: readonly number[], basis: readonly (readonly number[])[]): number[] {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, each, i) => sum + each * y[i]!, 0)
  // Gram and Schmidt, and then back from the last.
  const orthogonal: number[][] = []
  const shares: number[][] = []
  for (const each of basis) {
    const along = orthogonal.map((other) => dot(each, other) / (dot(other, other) || 1))
    const rest = each.map((x, i) => x - orthogonal.reduce((sum, other, k) => sum + along[k]! * other[i]!, 0))
    const vanishes = dot(rest, rest) <= 1e-8 * Math.max(dot(each, each), 1e-12)
    orthogonal.push(vanishes ? rest.map(() => 0) : rest)
    shares.push(along)
  }
  const result = orthogonal.map((each) => dot(vector, each) / (dot(each, each) || 1))
  for (let k = basis.length - 1; k >= 0; k--) {
    for (let j = 0; j < k; j++) result[j]! -= shares[k]![j]! * result[k]!
  }
  return result
}
