/** The items that a model's training never saw, opened again from their files. */
import { stat } from 'node:fs/promises'
import { openImageFiles } from '../data/image-files.ts'
import type { Source } from '../data/index.ts'
import type { Model } from '../model/index.ts'

/** Undefined if none of them is there to be read; `missing` is how many are not. */
export async function openHeldOut(
  { description: { heldOut, input } }: Model,
  options: { readonly warn: (message: string) => void; readonly signal?: AbortSignal },
): Promise<{ readonly source?: Source | undefined; readonly missing: number }> {
  const { items, classes, labels } = heldOut
  if (input.kind !== 'image' || !labels) return { missing: items.length }
  const there = await Promise.all(
    items.map((path) =>
      stat(path).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  )
  const images = items.flatMap((path, i) => (there[i] ? [{ path, name: path, class: classes[labels[i]!] ?? '' }] : []))
  const missing = items.length - images.length
  if (images.length === 0) return { missing }
  return { source: await openImageFiles(images, { input, ...options }), missing }
}

/** What a report says of items that it cannot show; undefined if it shows all. */
export function noticeOf(
  { description }: Model,
  { source, missing }: { readonly source?: Source | undefined; readonly missing: number },
): string | undefined {
  const { items, labels } = description.heldOut
  if (source) {
    return missing > 0
      ? `${missing} of the ${items.length} held-out items are no longer there, and are left out.`
      : undefined
  }
  const name = 'Name data to see how the model treats it: isometry report MODEL DATA.'
  if (items.length === 0) return `Nothing was held out from training. ${name}`
  if (!labels) return `The ${items.length} held-out items were kept without their classes. ${name}`
  return `The ${items.length} held-out items cannot be opened from here; the first is ${items[0]}. ${name}`
}
