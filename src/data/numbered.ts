/** Names as numbers: of classes and of groups. */

export interface Numbered {
  /** Sorted by code units. */
  readonly names: readonly string[]
  /** [length]: indices into the names; -1 where there is none. */
  readonly numbers: Int32Array
}

/** The numbers of a column of names, one for each different name; null has none. */
export function numbered(values: ArrayLike<string | number | null>, length: number): Numbered {
  const known = new Map<string | number, number>()
  const numbers = new Int32Array(length).fill(-1)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null || value === undefined) continue
    let number = known.get(value)
    if (number === undefined) {
      number = known.size
      known.set(value, number)
    }
    numbers[row] = number
  }
  // 1 and '1' are one class.
  const found = Array.from(known.keys(), String)
  const names = [...new Set(found)].sort()
  const places = new Map(names.map((name, place) => [name, place]))
  const order = Int32Array.from(found, (name) => places.get(name)!)
  for (let row = 0; row < length; row++) if (numbers[row]! >= 0) numbers[row] = order[numbers[row]!]!
  return { names, numbers }
}
