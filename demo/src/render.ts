/** Renders the demo's images: characters of real typefaces, in folders to train on and folders to test on. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { byCharacter, byTypeface, type Character } from './characters.ts'
import { pen, side } from './draw.ts'
import { type Typeface, typefaces } from './typefaces.ts'

const trees = ['by-character/train', 'by-character/test', 'by-typeface/train', 'by-typeface/test'] as const
type Tree = (typeof trees)[number]

/** Where an image lies: `<tree>/<class>/<name>.png`. */
interface Place {
  readonly tree: Tree
  readonly class: string
  readonly name: string
}

/** How much lies in a tree, which is a folder for the training command. */
export interface Count {
  readonly tree: Tree
  readonly images: number
  readonly classes: number
}

/** Renders every image into `folder`, unless this very version did so before. It makes the same bytes each time. */
export async function renderImages(folder: string): Promise<Count[]> {
  const stamp = join(folder, 'version.txt')
  const version = await currentVersion()
  if ((await readFile(stamp, 'utf8').catch(() => '')) !== version) {
    for (const path of [stamp, ...trees.map((tree) => join(folder, tree))])
      await rm(path, { recursive: true, force: true })
    for (const typeface of typefaces) await renderTypeface(typeface, folder)
    await writeFile(stamp, version)
  }
  const places = typefaces.flatMap((typeface) => byTypeface.flatMap((character) => placesOf(typeface, character)))
  return trees.map((tree) => {
    const within = places.filter((place) => place.tree === tree)
    return { tree, images: within.length, classes: new Set(within.map((place) => place.class)).size }
  })
}

async function renderTypeface(typeface: Typeface, folder: string): Promise<void> {
  const draw = pen(typeface)
  await Promise.all(
    byTypeface.map(async (character) => {
      const image = await png(draw(character))
      for (const { tree, class: label, name } of placesOf(typeface, character)) {
        const file = join(folder, tree, label, `${name}.png`)
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, image)
      }
    }),
  )
}

/** As an image of the typeface `tinos/Greek-alpha-small.png`, as one of the character `Greek/alpha-small/tinos.png`. */
function placesOf(typeface: Typeface, character: Character): Place[] {
  const { script, name } = character
  const asTypeface = { class: typeface.name, name: `${script}-${name}` }
  const asCharacter = { class: `${script}/${name}`, name: typeface.name }
  const places: Place[] = [{ tree: typeface.heldOut ? 'by-typeface/test' : 'by-typeface/train', ...asTypeface }]
  if (byCharacter.train.includes(character)) places.push({ tree: 'by-character/train', ...asCharacter })
  if (byCharacter.test.includes(character)) places.push({ tree: 'by-character/test', ...asCharacter })
  return places
}

function png(grey: Uint8Array): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 1 } as const
  return sharp(grey, { raw }).toColourspace('b-w').png().toBuffer()
}

/** A digest of all that decides what the images are: this code, and the packages that it pins. */
async function currentVersion(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of ['characters.ts', 'typefaces.ts', 'draw.ts', 'render.ts', '../package.json']) {
    hash.update(await readFile(new URL(file, import.meta.url)))
  }
  return hash.digest('hex')
}
