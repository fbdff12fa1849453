/** The data that `isometry train` is told to train on and to evaluate. */
import {
  bySplit,
  type ColumnOptions,
  countShared,
  holdOutClasses,
  holdOutExamples,
  holdOutTuples,
  isTableFile,
  isVectorsFile,
  type Named,
  openExamples,
  openImageFolder,
  openTable,
  openVectorsFile,
  type Source,
  type Tuples,
} from '../data/index.ts'
import type { Encoder, Pixels } from '../encoders/index.ts'
import { UsageError } from '../errors.ts'
import type { Input } from '../inputs/index.ts'
import { adapterOf, type EncoderArguments, encoderOf } from './encoder.ts'
import { warn } from './outcome.ts'

export interface DataArguments extends ColumnOptions {
  readonly validation?: string
  readonly holdOutClasses?: number
  readonly holdOutExamples?: number
  readonly imageMemory: number
  readonly seed: number
}

export interface Parts {
  readonly training: Source | Tuples
  readonly heldOut?: Source | Tuples | undefined
  /** What the held-out examples are compared with, if not with each other. */
  readonly gallery?: Source | undefined
}

const HOLD_OUT = 0.2

/** The encoder that takes the data, and the data in its form, in parts. */
export async function openParts(
  data: Named,
  options: DataArguments & EncoderArguments,
  signal: AbortSignal,
): Promise<Parts & { readonly encoder: Encoder }> {
  const { encoder, examples, open } = await openData(data, options, signal)
  const parts = await split(examples, options, open)
  await warnOfShared(parts)
  return { encoder, ...parts }
}

/** How more data of the form is opened. */
type Open = (data: Named) => Promise<Source | Tuples>

async function openData(data: Named, options: DataArguments & EncoderArguments, signal: AbortSignal) {
  const memory = options.imageMemory * 2 ** 20
  const opener =
    (input: Input): Open =>
    (more) =>
      isFolder(more) && input.kind === 'image'
        ? openImageFolder(more, { input, memory, warn, signal })
        : openExamples(more, { ...options, input, memory, warn, signal })
  const ofVectors = (examples: Source | Tuples) => {
    const { input } = examples
    if (input.kind !== 'vector') throw new UsageError('Vectors were expected.')
    return { encoder: adapterOf(options, input), examples, open: opener(input) }
  }
  if (typeof data === 'string' && isVectorsFile(data)) return ofVectors(await openVectorsFile(data))
  if (typeof data === 'string' ? isTableFile(data) : 'query' in data) {
    const table = await openTable(data as string, { ...options, labelled: true })
    if (table.kind === 'vectors') return ofVectors(table.examples)
    const encoder = await encoderOf(options)
    const input = imagesFor(encoder.input)
    return { encoder, examples: await table.open({ input, memory, warn, signal }), open: opener(input) }
  }
  const encoder = await encoderOf(options)
  const open = opener(imagesFor(encoder.input))
  return { encoder, examples: await open(data), open }
}

/** Whether data is named that can only be a folder: a single image is nothing to train on. */
function isFolder(data: Named): data is string {
  return typeof data === 'string' && !isTableFile(data) && !isVectorsFile(data)
}

function imagesFor({ channels, height, width }: Pixels) {
  return { kind: 'image', channels: channels === 1 ? 1 : 3, height, width, resize: 'stretch' } as const
}

async function split(examples: Source | Tuples, options: DataArguments, open: Open): Promise<Parts> {
  const { validation, holdOutExamples: share, seed } = options
  if (validation) return { training: examples, heldOut: await open(validation) }
  if ('examples' in examples) {
    const part = share ?? holdOutShare(options)!
    return part > 0 ? holdOutTuples(examples, part, seed) : { training: examples }
  }
  if (share) {
    const parts = holdOutExamples(examples, share, seed)
    return { ...parts, gallery: parts.training }
  }
  const own = options.holdOutClasses === undefined ? bySplit(examples) : undefined
  if (own) return own.heldOut.length > 0 ? own : { training: own.training }
  const classes = holdOutShare(options)!
  return classes > 0 ? holdOutClasses(examples, classes, seed) : { training: examples }
}

/** The share of the classes that is held out; undefined where something else is. */
export function holdOutShare({
  validation,
  holdOutClasses: share,
  holdOutExamples: examples,
}: Partial<DataArguments>): number | undefined {
  return validation === undefined && examples === undefined ? (share ?? HOLD_OUT) : undefined
}

/** @throws UsageError if ways of holding out are mixed. */
export function checkHoldOut(options: DataArguments): void {
  const ways = (['validation', 'holdOutClasses', 'holdOutExamples'] as const).filter(
    (way) => options[way] !== undefined,
  )
  if (ways.length < 2) return
  const [one, other] = ways.map((way) => `--${way.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  throw new UsageError(`${one} cannot be used with ${other}: both say what is held out. Leave one of them out.`)
}

async function warnOfShared({ training, heldOut }: Parts): Promise<void> {
  if (!heldOut || 'examples' in heldOut || 'examples' in training) return
  const shared = await countShared(training, heldOut)
  if (shared > 0) {
    warn(
      `${shared} of ${heldOut.length} held-out ${heldOut.input.kind}s are trained on, too: what is measured on them is too good`,
    )
  }
}

export function describe(examples: Source | Tuples): string {
  const { length, input } = examples
  if ('examples' in examples) return `${length} tuples of ${input.kind}s`
  const { classes } = examples
  return `${length} ${input.kind}s of ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}`
}
