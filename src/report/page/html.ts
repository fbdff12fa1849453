/** HTML in which whatever is filled in is text, unless it is HTML itself. */

/** Text that is markup already. */
export interface Html {
  readonly markup: string
}

type Part = string | number | Html | readonly Html[] | undefined

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template of markup: strings and numbers in it are escaped, for text and for attributes in quotes. */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: String.raw({ raw: template }, ...parts.map(render)) }
}

/** Markup from elsewhere, as it is. */
export function raw(markup: string): Html {
  return { markup }
}

/** A value for a script of the page: no text in it can end its element. */
export function json(value: unknown): Html {
  return raw(JSON.stringify(value).replaceAll('<', '\\u003c'))
}

function render(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
  return String(part).replace(/[&<>"']/g, (character) => entities[character]!)
}
