/** A folder of our own as a backend: searched exactly, in memory. */
import { DataError } from '../../errors.ts'
import { meets, parseCondition } from '../condition.ts'
import type { Backend } from './backend.ts'
import { columnOf, type Entry, ownColumns } from './entry.ts'
import { openExact } from './exact.ts'
import { readHead } from './head.ts'
import { addToStore, checkNew, createStore, few, removeFromStore } from './store.ts'

export const folder: Backend = {
  about: readHead,
  checkNew,
  async create(place, about, items) {
    await createStore(place, about, items)
    return undefined
  },
  async add(place, items, { replace }) {
    await addToStore(place, items, { replace })
    return undefined
  },
  async remove(place, removal) {
    if ('where' in removal) {
      const condition = parseCondition(removal.where, [...ownColumns, ...(await readHead(place)).columns])
      return removeFromStore(place, (entry) => meets(condition, columnOf(entry)))
    }
    const { items, places } = removal
    const left = new Set(items)
    const isNamed = ({ item, path }: Entry) => {
      const found = items.filter((name, i) => name === item || (path !== undefined && places[i] === path))
      for (const name of found) left.delete(name)
      return found.length > 0
    }
    return removeFromStore(place, isNamed, () => checkAllThere([...left], place))
  },
  open: openExact,
}

/** @throws DataError if any is left. */
export function checkAllThere(left: readonly string[], place: string): void {
  if (left.length === 0) return
  throw new DataError(`${few(left, `not in the index ${place}`)} Nothing was removed: name items that are.`)
}
