/** Images as vectors by a fixed recipe: what stands here for embeddings that somebody has already. */
import { side } from './draw.ts'

/** Cells of 7 × 7 pixels, so 4 × 4 of them; directions of 20 degrees; blocks of 2 × 2 cells. */
const CELL = 7
const CELLS = side / CELL
const BINS = 9
const BLOCKS = CELLS - 1
/** The pixels themselves, as means of 4 × 4. */
const COARSE = 4
const PIXELS = side / COARSE

export const dimension = BLOCKS * BLOCKS * 4 * BINS + PIXELS * PIXELS

/**
 * Histograms of oriented gradients and the pixels at a quarter of their size, one after the other.
 *
 * Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", 2005: centred differences, directions from 0 to
 * 180 degrees weighted by magnitude and shared between the nearest two bins, blocks of 2 × 2 cells brought to unit length.
 *
 * @param pixels [28, 28], 0–255.
 */
export function describe(pixels: Uint8Array): Float32Array {
  const cells = histograms(pixels)
  const vector = new Float32Array(dimension)
  let at = 0
  for (let row = 0; row < BLOCKS; row++) {
    for (let column = 0; column < BLOCKS; column++) {
      const block = [0, 1].flatMap((below) =>
        [0, 1].flatMap((beside) => [...cells[(row + below) * CELLS + column + beside]!]),
      )
      const length = Math.sqrt(block.reduce((sum, x) => sum + x * x, 1e-6))
      for (const x of block) vector[at++] = x / length
    }
  }
  for (let i = 0; i < side * side; i++) {
    const place = Math.floor(i / side / COARSE) * PIXELS + Math.floor((i % side) / COARSE)
    vector[at + place]! += pixels[i]! / 255 / (COARSE * COARSE)
  }
  return vector
}

/** Of each cell, how much gradient has which direction. */
function histograms(pixels: Uint8Array): Float64Array[] {
  const cells = Array.from({ length: CELLS * CELLS }, () => new Float64Array(BINS))
  const value = (y: number, x: number) => {
    return pixels[Math.min(Math.max(y, 0), side - 1) * side + Math.min(Math.max(x, 0), side - 1)]! / 255
  }
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [dy, dx] = [value(y + 1, x) - value(y - 1, x), value(y, x + 1) - value(y, x - 1)]
      const cell = cells[Math.floor(y / CELL) * CELLS + Math.floor(x / CELL)]!
      const place = ((Math.atan2(dy, dx) / Math.PI + 1) % 1) * BINS
      const [bin, part] = [Math.floor(place), place % 1]
      cell[bin % BINS]! += Math.hypot(dx, dy) * (1 - part)
      cell[(bin + 1) % BINS]! += Math.hypot(dx, dy) * part
    }
  }
  return cells
}
