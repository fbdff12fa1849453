/** Asynchronous work on many items, a few at a time. */

/** The results of `work` in the order of `items`, at most `limit` at once. The first failure ends it. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const queue = each(items)
  const worker = async () => {
    for (const [i, item] of queue) results[i] = await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}

/** A generator, because a loop that is left by an error closes it: the other workers then find no more work. */
function* each<Item>(items: readonly Item[]) {
  yield* items.entries()
}
