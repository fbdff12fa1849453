/** The checkpoints of one training: what they belong to, and what of it they hold. */
import type { Source, Tuples } from '../data/index.ts'
import type { Variable, Variables } from '../encoders/encoder.ts'
import type { Tensors } from '../runtime/session.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import type { LoopOptions } from './loop.ts'
import type { StepRecord } from './options.ts'
import type { Recoverable, Saved } from './recovery.ts'

/** The names of the best variables begin with this; `trained: ` stands before those that the gradient trains. */
const BEST = 'best: '
const TRAINED = 'trained: '

export interface Checkpoints {
  /** A checkpoint every so many steps. */
  readonly every: number
  /** The one to go on from, if that was asked for and there is one. */
  read(): Promise<(Saved & { readonly history: readonly StepRecord[]; readonly best?: Variables }) | undefined>
  /** Whether it could be written: training goes on where a disk is full, with a warning. */
  write(training: Recoverable, history: readonly StepRecord[], best: Variables | undefined): Promise<boolean>
}

/** Where checkpoints are asked for. */
export function checkpointsOf(source: Source | Tuples, options: LoopOptions): Checkpoints | undefined {
  if (!options.checkpoint) return undefined
  const { directory, every = 100, resume = false } = options.checkpoint
  const { warn = console.warn } = options
  const identity = identityOf(source, options)
  return {
    every,
    async read() {
      const found = resume ? await readCheckpoint(directory, identity, warn) : undefined
      return found && { ...found, ...bestIn(found.tensors) }
    },
    async write(training, history, best) {
      try {
        const { tensors, state } = await training.save()
        const checkpoint: Checkpoint = { identity, history, tensors: { ...tensors, ...tensorsOf(best) }, state }
        await writeCheckpoint(directory, checkpoint)
        return true
      } catch (error) {
        warn((error as Error).message)
        return false
      }
    },
  }
}

/** What makes one training another. */
function identityOf({ fingerprint }: Source | Tuples, options: LoopOptions): Checkpoint['identity'] {
  const { loss, optimizer, schedule, encoder, augmentation, validation, validationGallery: gallery } = options
  const batches = ['classesPerBatch', 'perClass', 'tuplesPerBatch'] as const
  const settings = [...batches, 'steps', 'accumulate', 'learningRate', 'seed', 'onCollapse'] as const
  const optional = [
    'sampling',
    'epochs',
    'adapt',
    'microBatch',
    'threads',
    'device',
    'evaluateEvery',
    'measure',
    'patience',
  ] as const
  return {
    data: fingerprint,
    // What is evaluated on the way decides what is kept, and when patience ends.
    ...(options.evaluateEvery && {
      validation: validation?.fingerprint ?? null,
      ...(gallery && { validationGallery: gallery.fingerprint }),
    }),
    encoder: { name: encoder.name, ...encoder.settings },
    loss: { name: loss.name, ...loss.settings },
    optimizer: { name: optimizer.name, ...optimizer.settings },
    schedule: { name: schedule.name, ...schedule.settings },
    augmentation: augmentation ? { name: augmentation.name, ...augmentation.settings } : null,
    ...Object.fromEntries(optional.map((name) => [name, options[name] ?? null])),
    ...Object.fromEntries(settings.map((name) => [name, options[name]])),
  }
}

function tensorsOf(best: Variables | undefined): Tensors {
  const named = Object.entries(best ?? {}).map(([name, variable]) => {
    return [`${BEST}${variable.trained ? TRAINED : ''}${name}`, variable] as const
  })
  return Object.fromEntries(named)
}

function bestIn(tensors: Tensors): { readonly best?: Variables } {
  const named = Object.entries(tensors)
    .filter(([name]) => name.startsWith(BEST))
    .map(([name, tensor]) => {
      const rest = name.slice(BEST.length)
      const trained = rest.startsWith(TRAINED)
      return [trained ? rest.slice(TRAINED.length) : rest, { ...tensor, trained } as Variable] as const
    })
  return named.length === 0 ? {} : { best: Object.fromEntries(named) }
}
