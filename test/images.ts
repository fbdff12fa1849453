/** Small folders of real image files for tests: each class is a pattern of its own, each image a noisy copy of it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { random } from '../src/random.ts'

const SIDE = 12

/** A folder that is gone after `dispose`. */
export async function temporaryFolder(): Promise<{ path: string; dispose: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'isometry-'))
  return { path, dispose: () => rm(path, { recursive: true, force: true }) }
}

/**
 * Writes `perClass` images of each of `classes` below `folder`, as CLASS/N.png. Where those of a class are not `alike`, there
 * is nothing to learn, which makes training on hard triplets collapse.
 */
export async function writeImages(
  folder: string,
  classes: readonly string[],
  perClass: number,
  { alike = true } = {},
): Promise<void> {
  for (const name of classes) {
    const pattern = random(1, name)
    const draw = () => Array.from({ length: SIDE * SIDE }, () => (pattern.uniform(0, 1) < 0.5 ? 40 : 215))
    const shared = draw()
    const noise = random(2, name)
    await mkdir(join(folder, name), { recursive: true })
    for (let i = 0; i < perClass; i++) {
      const bytes = Uint8Array.from(alike ? shared : draw(), (level) => level + noise.uniform(-40, 40))
      await sharp(bytes, { raw: { width: SIDE, height: SIDE, channels: 1 } })
        .png()
        .toFile(join(folder, name, `${i}.png`))
    }
  }
}
