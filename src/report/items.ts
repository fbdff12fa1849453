/** What items are called on a page. */
import { dirname } from 'node:path'

/** The folder that all items lie in, with the slash after it; '' if there is none. */
export function commonFolder(items: readonly string[]): string {
  if (items.length === 0) return ''
  let folder = `${dirname(items[0]!)}/`
  while (!items.every((item) => item.startsWith(folder))) {
    const above = dirname(folder)
    if (above === '.' || above === '/') return ''
    folder = `${above}/`
  }
  return folder
}
