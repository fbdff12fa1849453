/** Seeded random numbers: the one source of chance in this library, so that a seed repeats a run exactly. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random numbers. Two streams of the same seed and purpose are equal; any other two are unrelated. */
export interface Random {
  /** A number in [low, high). */
  uniform(low: number, high: number): number
  /** So many of these: `Float32Array.from` would take four times as long. */
  uniforms(length: number, low: number, high: number): Float32Array<ArrayBuffer>
  /** An integer in [0, count). */
  integer(count: number): number
  /** A new array with the items in random order. */
  shuffle<T>(items: readonly T[]): T[]
  /** Bytes that are 1 with this probability (to 2⁻³²) and 0 otherwise. */
  coins(length: number, probability: number): Uint8Array
}

/** A stream for one `purpose` of a `seed` (an integer): streams of different purposes do not disturb each other. */
export function random(seed: number, purpose: string): Random {
  const generator = xoroshiro128plus(mix(seed, purpose))
  const integer = (count: number) => uniformInt(generator, 0, count - 1)
  const uniform = (low: number, high: number) => low + (high - low) * uniformFloat64(generator)
  return {
    uniform,
    uniforms(length, low, high) {
      const result = new Float32Array(length)
      for (let i = 0; i < length; i++) result[i] = uniform(low, high)
      return result
    },
    integer,
    shuffle(items) {
      const result = [...items]
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        ;[result[i], result[j]] = [result[j]!, result[i]!]
      }
      return result
    },
    coins(length, probability) {
      const threshold = probability * 2 ** 32
      const result = new Uint8Array(length)
      for (let i = 0; i < length; i++) result[i] = generator.next() >>> 0 < threshold ? 1 : 0
      return result
    },
  }
}

/** So many numbers of a stream are passed over until those of neighbouring seeds have nothing in common. */
const WARM_UP = 64

/** A stream for one batch of many: even the first numbers are unrelated to those of the batches around it. */
export function randomOfBatch(seed: number, purpose: string, batch: string): Random {
  const stream = random(seed, `${purpose} of ${batch}`)
  for (let i = 0; i < WARM_UP; i++) stream.uniform(0, 1)
  return stream
}

/** FNV-1a over the seed and the purpose. */
function mix(seed: number, purpose: string): number {
  let hash = 0x811c9dc5
  for (const character of `${seed}/${purpose}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return hash | 0
}
