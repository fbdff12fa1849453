/** Many small tensors as a few vectors: a session takes long to open, and a run to begin, by how many it takes and gives. */

import { substitute } from '../graph/substitute.ts'
import { reach } from '../graph/to-onnx.ts'
import { apply, concat, input, integers, type Value } from '../graph/value.ts'
import type { Tensors } from '../runtime/session.ts'
import { type Shape, size, type TensorType } from '../tensor.ts'
import { NEXT } from './held.ts'

type Values = Readonly<Record<string, Value>>

/** Larger tensors are faster on their own. */
const SMALL = 2 ** 14
/** What a vector holds at most: beyond 32 MiB the runtime's copies become slow. */
const CAPACITY = 2 ** 21

/** So many tensors at most: the runtime takes long to open graphs with nodes of very many inputs or outputs. */
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

interface Pack {
  readonly name: string
  readonly members: { readonly name: string; readonly type: TensorType; readonly start: number }[]
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
    let pack = packs.findLast(
      (each) => each.name.startsWith(role) && each.length + count <= CAPACITY && each.members.length < MEMBERS,
    )
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
      // One Split gives all parts of a vector, which costs one node in place of one for each.
      const parts = new Map(packs.map((pack) => [pack, partsOf(pack)]))
      const replacements = new Map<Value, Value>()
      for (const [name, value] of reach(Object.values(outputs)).inputs) {
        const pack = packOf.get(name)
        if (pack) replacements.set(value, shaped(parts.get(pack)!.get(name)!, value.shape))
      }
      const built = substitute(outputs, replacements)
      const rest = Object.entries(built).filter(
        ([name]) => !packOf.has(name.slice(NEXT.length)) || !name.startsWith(NEXT),
      )
      const next = packs
        .filter(({ members }) => members.some(({ name }) => NEXT + name in built))
        .map((pack) => {
          const values = pack.members.map(({ name }) => flat(built[NEXT + name]) ?? parts.get(pack)!.get(name)!)
          return [NEXT + pack.name, concat(values, 0)] as const
        })
      return Object.fromEntries([...rest, ...next])
    },
  }
}

/** A reshape that changes nothing is left out: the runtime would take long to find so many. */
function shaped(part: Value, shape: Shape): Value {
  return shape.length === 1 ? part : part.reshape(shape)
}

function flat(value: Value | undefined): Value | undefined {
  return value?.shape.length === 1 ? value : value?.reshape([-1])
}

/** The parts of a vector that is fed, flat, by name. */
function partsOf({ name, members, length }: Pack): Map<string, Value> {
  const vector = input(name, 'float32', [length])
  const lengths = members.map(({ type }) => size(type.shape))
  const parts = members.length === 1 ? [vector] : apply('Split', [vector, integers(lengths)], { axis: 0 })
  return new Map(members.map((member, i) => [member.name, parts[i]!]))
}
