/** At which place each relevant item comes among all that a query is compared with. */

/**
 * Ranks from 0 of `relevant` rows, nearest first; equal distances rank by row. Nothing is sorted but the relevant rows.
 *
 * @param distances to every row of the gallery; Infinity where it is not compared.
 * @param relevant rows of the gallery; put in the order of their ranks.
 */
export function rank(distances: Float32Array, relevant: Int32Array): Int32Array {
  relevant.sort((a, b) => distances[a]! - distances[b]! || a - b)
  const count = relevant.length
  const places = Float32Array.from(relevant, (row) => distances[row]!)
  const ranks = new Int32Array(count)
  const farthest = places[count - 1]!
  for (let row = 0; row < distances.length; row++) {
    const distance = distances[row]!
    if (distance > farthest) continue
    // The first relevant row that comes after this one.
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >> 1
      const place = places[middle]!
      if (place > distance || (place === distance && relevant[middle]! > row)) high = middle
      else low = middle + 1
    }
    if (low < count) ranks[low]!++
  }
  for (let i = 1; i < count; i++) ranks[i]! += ranks[i - 1]!
  return ranks
}
