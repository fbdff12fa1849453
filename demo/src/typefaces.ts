/** The typefaces that the demo draws: one weight of each of twenty-five families, each with Latin, Greek and Cyrillic. */

export interface Typeface {
  /** The family's name in `@fontsource/<name>`, and the name of its images. */
  readonly name: string
  readonly weight: number
  /** Whether training by typeface never sees it. */
  readonly heldOut: boolean
}

/** Weights differ from family to family, because how heavy a typeface is belongs to what tells it from the others. */
const known = {
  'advent-pro': 300,
  alegreya: 400,
  'anonymous-pro': 400,
  'brygada-1918': 700,
  comfortaa: 400,
  'comic-relief': 400,
  cousine: 700,
  geologica: 900,
  handjet: 400,
  jura: 600,
  'noto-serif-display': 400,
  oi: 400,
  'open-sans': 400,
  play: 700,
  'press-start-2p': 400,
  'roboto-condensed': 400,
  'sofia-sans-extra-condensed': 700,
  tinos: 400,
  'victor-mono': 300,
  vollkorn: 900,
}

/** One of each style: old-style serif, slab serif, geometric sans serif, monospaced and display. */
const heldOut = {
  'eb-garamond': 400,
  'roboto-slab': 400,
  'didact-gothic': 400,
  'fira-mono': 400,
  tektur: 700,
}

export const typefaces: readonly Typeface[] = [
  ...Object.entries(known).map(([name, weight]) => ({ name, weight, heldOut: false })),
  ...Object.entries(heldOut).map(([name, weight]) => ({ name, weight, heldOut: true })),
]
