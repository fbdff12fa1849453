/** A whole page in one file: nothing in it asks anybody for anything but its own server, and only its own script runs. */
import { createHash } from 'node:crypto'
import { type Html, html, json, raw } from './html.ts'
import { style } from './style.ts'

export interface Page {
  readonly title: string
  readonly body: Html
  /** What the script draws, as JSON. */
  readonly data: unknown
  readonly script: string
  /** More of how it looks. */
  readonly style?: string
  /** Whether it asks the server that it came from; of a page that lies in a file, there is none. */
  readonly asks?: boolean
}

/** The text of an HTML file. */
export function shell({ title, body, data, script, style: more = '', asks = false }: Page): string {
  const hash = createHash('sha256').update(script).digest('base64')
  const own = asks ? " 'self' blob:; connect-src 'self'" : ''
  const policy = `default-src 'none'; img-src data:${own}; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`
  return `${
    html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(style + more)}</style>
<main>${body}</main>
<script type="application/json" id="data">${json(data)}</script>
<script>${raw(script)}</script>
</html>`.markup
  }\n`
}
