/** Many small tensors as a few vectors: a session takes long to open, and a run to begin, by how many it takes and gives. */

import { joining } from '../graph/join.ts'
import { substitute } from '../graph/substitute.ts'
import { reach } from '../graph/to-onnx.ts'
import { apply, input, integers, type Value } from '../graph/value.ts'
import type { Tensors } from '../runtime/session.ts'
import { type Shape, size, type TensorType } from '../tensor.ts'
import { NEXT } from './held.ts'

type Values = Readonly<Record<string, Value>>

/** Larger tensors are faster on their own. */
const SMALL = 2 ** 14

/**
 * So many tensors at most: the runtime takes long to open graphs with nodes of very many inputs or outputs. As they are
 * small, a vector holds 2 MiB at most; beyond 32 MiB the runtime's copies would become slow.
 */
const MEMBERS = 32

export interface Packing {
  /** The names of the vectors and of the large tensors that hold these names. */
  holders(names: readonly string[]): string[]
  /** Vectors and large tensors of tensors; all that a vector holds have to be there, or none. */
  pack(tensors: Tensors): Tensors
  /** The tensors again, as views of the vectors. */
  unpack(packed: Tensors): Tensors
  /** The same graph with vectors for inputs, and for the outputs whose names are those with `next ` before them. */
  build(outputs: Values): Values
}

interface Member {
  readonly name: string
  readonly type: TensorType
  readonly start: number
}

interface Pack {
  readonly name: string
  readonly members: Member[]
  length: number
}

/**
 * Packs small float32 tensors by what they are for, so that a graph updates all of a vector or nothing of it.
 *
 * @param roleOf tensors of one role go together.
 */
export function packing(types: Readonly<Record<string, TensorType>>, roleOf: (name: string) => string): Packing {
  const packs: Pack[] = []
  const packOf = new Map<string, Pack>()
  for (const [name, type] of Object.entries(types)) {
    const count = size(type.shape)
    if (type.dtype !== 'float32' || count > SMALL) continue
    const role = `packed ${roleOf(name)} `
    let pack = packs.findLast((each) => each.name.startsWith(role) && each.members.length < MEMBERS)
    if (!pack) {
      pack = { name: role + packs.length, members: [], length: 0 }
      packs.push(pack)
    }
    pack.members.push({ name, type, start: pack.length })
    pack.length += count
    packOf.set(name, pack)
  }

  return {
    holders: (names) => [...new Set(names.map((name) => packOf.get(name)?.name ?? name))],
    pack(tensors) {
      const large = Object.entries(tensors).filter(([name]) => !packOf.has(name))
      const filled = packs
        .filter(({ members }) => members[0]!.name in tensors)
        .map(({ name, members, length }) => {
          const data = new Float32Array(length)
          for (const member of members) data.set(tensors[member.name]!.data as Float32Array, member.start)
          return [name, { dtype: 'float32', shape: [length], data } as const] as const
        })
      return Object.fromEntries([...large, ...filled])
    },
    unpack(packed) {
      const large = Object.entries(packed).filter(([name]) => name in types)
      const views = packs.flatMap(({ name, members }) => {
        const whole = packed[name]?.data as Float32Array | undefined
        if (!whole) return []
        return members.map(({ name: member, type, start }) => {
          return [member, { ...type, data: whole.subarray(start, start + size(type.shape)) }] as const
        })
      })
      return Object.fromEntries([...large, ...views])
    },
    build(outputs) {
      const { inputs } = reach(Object.values(outputs))
      const inputOf = ({ name, type }: Member) => inputs.get(name) ?? input(name, 'float32', type.shape)
      const built = packs.map((pack) => {
        const vector = input(pack.name, 'float32', [pack.length])
        return { ...pack, vector, parts: pack.members.map(inputOf) }
      })
      const join = joining(new Map(built.map(({ parts, vector }) => [parts, vector])))
      const rest = Object.entries(outputs).filter(
        ([name]) => !name.startsWith(NEXT) || !packOf.has(name.slice(NEXT.length)),
      )
      const next = built
        .filter(({ members }) => members.some(({ name }) => NEXT + name in outputs))
        .map(({ name, members, parts }) => {
          return [NEXT + name, join(members.map((member, i) => outputs[NEXT + member.name] ?? parts[i]!))] as const
        })
      const replacements = new Map(built.flatMap(({ vector, parts }) => apart(vector, parts)))
      return substitute(Object.fromEntries([...rest, ...next]), replacements)
    },
  }
}

/** A reshape that changes nothing is left out: the runtime would take long to find so many. */
function shaped(part: Value, shape: Shape): Value {
  return shape.length === 1 ? part : part.reshape(shape)
}

/** The parts of a vector. One Split gives all of them, which costs one node in place of one for each. */
function apart(vector: Value, parts: readonly Value[]): [Value, Value][] {
  const lengths = integers(parts.map(({ shape }) => size(shape)))
  const flat = parts.length === 1 ? [vector] : apply('Split', [vector, lengths], { axis: 0 })
  return parts.map((part, i) => [part, shaped(flat[i]!, part.shape)])
}
