/** Which classes make up the next batch. */
import { UsageError } from '../errors.ts'
import type { Random } from '../random.ts'

/**
 * How often a class is drawn: as any other, in proportion to its examples or to their square root, or by a number above 0
 * for each class, by its label.
 */
export type ClassWeighting = 'equal' | 'size' | 'squareRoot' | readonly number[]

/** A class that examples can be drawn of. */
export interface Class {
  readonly label: number
  readonly size: number
  draw(count: number): number[]
}

export interface DrawOptions {
  /** Which classes come up how often; `equal` if left out. */
  readonly weighting?: ClassWeighting | undefined
  /**
   * The class above each class, by its label, such as an order of species; a batch then takes its classes from so few of
   * those, so that negatives are hard.
   */
  readonly superClasses?: { readonly of: readonly string[]; readonly perBatch: number } | undefined
}

/**
 * Draws different classes.
 *
 * @throws UsageError if a weight is not above 0, or `perBatch` no whole number of at least 1.
 */
export function drawClasses(
  classes: readonly Class[],
  { weighting = 'equal', superClasses }: DrawOptions,
  chance: Random,
): (count: number) => readonly Class[] {
  const weightOf = ({ label, size }: Class) => {
    if (weighting === 'equal') return 1
    if (typeof weighting === 'string') return weighting === 'size' ? size : Math.sqrt(size)
    const weight = weighting[label]
    if (weight !== undefined && weight > 0 && Number.isFinite(weight)) return weight
    throw new UsageError(`The class ${label} has the weight ${weight}; expected a number above 0 for each class.`)
  }
  const draws = (some: readonly Class[]) =>
    weighting === 'equal' ? deck(some, chance) : weighted(some, some.map(weightOf), chance)
  if (!superClasses) return draws(classes)

  const { of, perBatch } = superClasses
  if (!Number.isInteger(perBatch) || perBatch < 1) {
    throw new UsageError(`superClasses.perBatch is ${perBatch}; expected a whole number of at least 1.`)
  }
  const groups = new Map<string | undefined, Class[]>()
  for (const each of classes) groups.set(of[each.label], [...(groups.get(of[each.label]) ?? []), each])
  const drawGroups = deck(
    [...groups.values()].map((some) => ({ size: some.length, draw: draws(some) })),
    chance,
  )
  return (count) => {
    const drawn = drawGroups(groups.size)
    const taken = drawn.map(() => 0)
    // Dealt in turns; where those that are open have too few classes, others are opened, so that all batches are of one size.
    let missing = count
    for (let open = Math.min(perBatch, drawn.length); missing > 0; ) {
      const withRoom = [...drawn.keys()].slice(0, open).filter((i) => taken[i]! < drawn[i]!.size)
      if (withRoom.length === 0) open++
      for (const i of withRoom.slice(0, missing)) taken[i]!++
      missing -= Math.min(missing, withRoom.length)
    }
    return drawn.flatMap(({ draw }, i) => draw(taken[i]!))
  }
}

/**
 * Draws different cards, heavy ones more often: the largest u^(1/w), u uniform. Efraimidis and Spirakis, "Weighted random
 * sampling with a reservoir", 2006.
 */
function weighted<T>(cards: readonly T[], weights: readonly number[], chance: Random): (count: number) => T[] {
  return (count) => {
    const keyed = cards.map((card, i) => ({ card, key: Math.log(chance.uniform(0, 1)) / weights[i]! }))
    return keyed
      .sort((a, b) => b.key - a.key)
      .slice(0, count)
      .map(({ card }) => card)
  }
}

/**
 * Draws cards from a shuffled deck, which is shuffled anew when it runs out; at any time, no card has come up more than
 * once more often than another. A hand has no card twice, so `count` is at most the number of cards.
 */
export function deck<T>(cards: readonly T[], chance: Random): (count: number) => T[] {
  let rest: T[] = []
  return (count) => {
    const hand = rest.splice(0, count)
    if (hand.length < count) {
      // Cards that are in the hand already wait in the new deck for the next one.
      const held = new Set(hand)
      const shuffled = chance.shuffle(cards)
      const more = shuffled.filter((card) => !held.has(card)).slice(0, count - hand.length)
      const gone = new Set(more)
      rest = shuffled.filter((card) => !gone.has(card))
      hand.push(...more)
    }
    return hand
  }
}
