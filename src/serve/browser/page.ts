/** The script of the page: asks the server that it came from, and shows what it found. */

interface Match {
  readonly row: number
  readonly item: string
  readonly label: string | null
  readonly distance: number
  readonly path?: string
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>>
}

const { kind, threshold } = JSON.parse(document.getElementById('data')!.textContent!) as {
  readonly kind: 'image' | 'vector'
  readonly threshold?: number
}
const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T

let image: Blob | undefined
let asked = 0

element('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  void search()
})
if (kind === 'image') listenForImages()

function listenForImages(): void {
  const drop = element('drop')
  const file = element<HTMLInputElement>('file')
  for (const name of ['dragover', 'dragleave', 'drop']) {
    document.addEventListener(name, (event) => {
      event.preventDefault()
      drop.classList.toggle('over', name === 'dragover')
    })
  }
  document.addEventListener('drop', (event) => take(event.dataTransfer?.files[0]))
  document.addEventListener('paste', (event) => take(event.clipboardData?.files[0]))
  file.addEventListener('change', () => take(file.files?.[0] ?? undefined))
}

function take(found: Blob | undefined): void {
  if (!found) {
    say('That was no image file.', true)
    return
  }
  image = found
  const shown = element<HTMLImageElement>('asked')
  shown.addEventListener('load', () => showPixels(shown), { once: true })
  URL.revokeObjectURL(shown.src)
  shown.src = URL.createObjectURL(found)
  shown.hidden = false
  shown.previousElementSibling?.remove()
  void search()
}

async function search(): Promise<void> {
  const body = kind === 'image' ? image : vectorAsJson()
  if (!body) {
    say(kind === 'image' ? 'Drop an image first.' : 'Write numbers first.', true)
    return
  }
  const parameters = new URLSearchParams({ k: element<HTMLInputElement>('k').value })
  const where = element<HTMLInputElement>('where').value.trim()
  if (where !== '') parameters.set('where', where)
  const own = ++asked
  say('Searching …')
  const type = typeof body === 'string' ? 'application/json' : body.type || 'application/octet-stream'
  try {
    const response = await fetch(`/search?${parameters}`, { method: 'POST', body, headers: { 'content-type': type } })
    const found = (await response.json()) as { matches?: Match[]; error?: string }
    // What was asked later is what is shown.
    if (own !== asked) return
    if (found.matches) show(found.matches)
    else say(found.error ?? `The server answered ${response.status}.`, true)
  } catch (error) {
    if (own === asked) say(`The server cannot be reached: ${(error as Error).message}.`, true)
  }
}

function vectorAsJson(): string | undefined {
  const numbers = element<HTMLTextAreaElement>('vector')
    .value.replaceAll('−', '-')
    .split(/[\s,;[\]]+/)
    .filter((each) => each !== '')
  return numbers.length === 0 ? undefined : JSON.stringify({ vector: numbers.map(Number) })
}

function say(text: string, isWrong = false): void {
  const said = element('said')
  said.textContent = text
  said.classList.toggle('wrong', isWrong)
}

function show(matches: readonly Match[]): void {
  say(matches.length === 0 ? 'Nothing was found.' : '')
  element('results').hidden = matches.length === 0
  element('found').replaceChildren(...matches.map(figureOf))
}

function figureOf(match: Match): HTMLElement {
  const { row, item, label, distance, path, metadata = {} } = match
  const figure = document.createElement('figure')
  const isSame = threshold !== undefined && distance <= threshold
  figure.className = `match ${isSame ? 'right' : 'plain'}`
  const columns = Object.entries(metadata).map(([name, value]) => `${name}: ${value ?? '–'}`)
  figure.title = [item, ...(label === null ? [] : [`label: ${label}`]), ...columns].join('\n')
  figure.append(path === undefined ? without(item) : pictureOf(row, item), captionOf(match, isSame))
  return figure
}

function pictureOf(row: number, item: string): HTMLElement {
  const picture = document.createElement('img')
  picture.src = `/items/${row}`
  picture.alt = item
  picture.addEventListener('load', () => showPixels(picture))
  picture.addEventListener('error', () => picture.replaceWith(without(item)))
  return picture
}

/** Of a picture that is smaller than it is drawn. */
function showPixels(picture: HTMLImageElement): void {
  picture.classList.toggle('small', picture.naturalWidth < 100)
}

function without(item: string): HTMLElement {
  const box = document.createElement('div')
  box.className = 'none'
  box.textContent = item.split('/').at(-1) ?? item
  return box
}

function captionOf({ item, label, distance }: Match, isSame: boolean): HTMLElement {
  const caption = document.createElement('figcaption')
  const name = document.createElement('span')
  name.textContent = label ?? item.split('/').at(-1) ?? item
  const measured = document.createElement('i')
  measured.textContent = `${isSame ? '✓ ' : ''}${distance.toFixed(4)}`
  caption.append(name, measured)
  return caption
}
