/** Draws the characters of one typeface as grey pixels. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import type { Character, Script } from './characters.ts'
import type { Typeface } from './typefaces.ts'

/** Width and height of an image, in pixels. */
export const side = 28

/** How high a capital H is in every typeface, in pixels: leaves room for what hangs below and for accents above. */
const capitalHeight = 18

/** Pixels that stay empty around every character; one that does not fit at its typeface's scale is drawn smaller. */
const margin = 1

/** Drawn this many times larger, then averaged: Skia sets small text on whole pixels, which would move strokes. */
const detail = 4

/** A drawing: it has room for the widest and highest character around `origin`, where characters are set. */
const width = 44 * detail
const height = 40 * detail
const origin = { x: 4 * detail, y: 30 * detail }

const { resolve } = createRequire(import.meta.url)
/** To ask the library each time takes as long as to draw. */
const registered = new Set<string>()
const context = createCanvas(width, height).getContext('2d')

/** Draws characters of `typeface` at one scale: grey values [side * side], white ink on 0, the ink in the middle. */
export function pen(typeface: Typeface): (character: Character) => Uint8Array {
  const trial = detail * capitalHeight
  const capital = inkOf(write('H', fontFamily(typeface, 'Latin'), trial))
  const size = (trial * trial) / (capital.bottom - capital.top)
  return ({ script, text }) => {
    const font = fontFamily(typeface, script)
    const drawing = write(text, font, size)
    const { left, right, top, bottom } = inkOf(drawing)
    const fit = (detail * (side - 2 * margin)) / Math.max(right - left, bottom - top)
    return centred(fit < 1 ? write(text, font, fit * size) : drawing)
  }
}

/** The name of the one font that holds a script's characters: each file has its own, so that no other can step in. */
export function fontFamily({ name, weight }: Typeface, script: Script): string {
  const subset = script === 'Digits' ? 'latin' : script.toLowerCase()
  const file = `${name}-${subset}-${weight}-normal.woff2`
  if (!registered.has(file)) {
    GlobalFonts.register(readFileSync(resolve(`@fontsource/${name}/files/${file}`)), file)
    registered.add(file)
  }
  return `"${file}"`
}

/** Whether `font` itself has the character: what it lacks would be drawn by the font that is named after it. */
export function hasGlyph(font: string, text: string, [one, other]: readonly [string, string]): boolean {
  const drawn = (fallback: string) => Buffer.from(write(text, `${font}, ${fallback}`, detail * capitalHeight))
  return drawn(one).equals(drawn(other))
}

/** Writes `text` in `size` pixels per em: the grey values of a drawing [height * width]. */
function write(text: string, font: string, size: number): Uint8Array {
  context.clearRect(0, 0, width, height)
  context.font = `${size}px ${font}`
  context.fillText(text, origin.x, origin.y)
  // A transparent drawing is all in its fourth channel, the last byte of each pixel.
  const rgba = new DataView(context.getImageData(0, 0, width, height).data.buffer)
  const grey = new Uint8Array(width * height)
  for (let pixel = 0; pixel < grey.length; pixel++) grey[pixel] = rgba.getUint8(4 * pixel + 3)
  return grey
}

/** The box around a drawing's ink. `measureText` only tells the box that the font claims, which some have wrong. */
function inkOf(grey: Uint8Array) {
  const box = { left: width, right: 0, top: height, bottom: 0 }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (grey[y * width + x] === 0) continue
      box.left = Math.min(box.left, x)
      box.right = Math.max(box.right, x + 1)
      box.top = Math.min(box.top, y)
      box.bottom = y + 1
    }
  }
  return box
}

/** The image of a drawing: each of its pixels the average of `detail` by `detail`, the ink in its middle. */
function centred(grey: Uint8Array): Uint8Array {
  const { left, right, top, bottom } = inkOf(grey)
  const x0 = Math.round((left + right - detail * side) / 2)
  const y0 = Math.round((top + bottom - detail * side) / 2)
  const sums = new Float64Array(side * side)
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      sums[Math.floor((y - y0) / detail) * side + Math.floor((x - x0) / detail)]! += grey[y * width + x]!
    }
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / detail ** 2))
}
