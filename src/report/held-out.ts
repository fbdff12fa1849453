/** The items that a model's training never saw, opened again from their files. */
import { stat } from 'node:fs/promises'
import { type ImageExample, openImageFiles } from '../data/image-files.ts'
import type { Source } from '../data/index.ts'
import type { Items } from '../model/description.ts'
import type { Model } from '../model/index.ts'

/** Undefined if none of them is there to be read; `missing` is how many are not. What they were compared with is their gallery. */
export async function openHeldOut(
  { description: { heldOut, input } }: Model,
  options: { readonly warn: (message: string) => void; readonly signal?: AbortSignal },
): Promise<{ readonly source?: Source | undefined; readonly missing: number }> {
  const { items, labels, gallery } = heldOut
  if (input.kind !== 'image' || !labels) return { missing: items.length }
  const all = [...examplesOf(heldOut, gallery ? 0 : undefined), ...(gallery ? examplesOf(gallery, 1) : [])]
  const there = await Promise.all(all.map(({ path }) => isFile(path)))
  const found = all.filter((_, i) => there[i])
  const missing = all.length - found.length
  if (!there.slice(0, items.length).includes(true)) return { missing }
  return { source: await openImageFiles(found, { input, ...options }), missing }
}

/** @param role of all of them, where the items do not say it themselves. */
function examplesOf({ items, classes, labels, boxes, groups, roles }: Items, role?: number): ImageExample[] {
  return items.map((path, i) => {
    const [x, y, width, height] = boxes?.[i] ?? []
    return {
      path,
      name: path,
      class: classes[labels?.[i] ?? -1] ?? '',
      group: groups?.[i] ?? undefined,
      box: height === undefined ? undefined : { x: x!, y: y!, width: width!, height },
      role: role ?? roles?.[i],
    }
  })
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** What a report says of items that it cannot show; undefined if it shows all. */
export function noticeOf(
  { description }: Model,
  { source, missing }: { readonly source?: Source | undefined; readonly missing: number },
): string | undefined {
  const { items, labels, gallery } = description.heldOut
  if (source) {
    if (missing === 0) return undefined
    const what = gallery
      ? `${items.length + gallery.items.length} held-out items and those they are compared with`
      : `${items.length} held-out items`
    return `${missing} of the ${what} are no longer there, and are left out.`
  }
  const name = 'Name data to see how the model treats it: isometry report MODEL DATA.'
  if (items.length === 0) return `Nothing was held out from training. ${name}`
  if (!labels) return `The ${items.length} held-out items were kept without their classes. ${name}`
  return `The ${items.length} held-out items cannot be opened from here; the first is ${items[0]}. ${name}`
}
