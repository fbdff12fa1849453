/** One training step: on one batch at once, on a large one in parts, or on several before one update. */
import { compile } from '../compile.ts'
import { drawsOf } from '../data/augmentations/augmentation.ts'
import { drawMasks } from '../encoders/dropout.ts'
import type { Variables } from '../encoders/encoder.ts'
import { UsageError } from '../errors.ts'
import { toInputs } from '../graph/inputs.ts'
import { one } from '../graph/value.ts'
import { drawUniform } from '../mining/random-inputs.ts'
import type { ComputeOptions, Program, Tensors } from '../runtime/session.ts'
import { allocate, size, type Tensor, type TensorType } from '../tensor.ts'
import { type Batch, examplesOf, inputsOf, rowsOf, split } from './batch.ts'
import { firstNonFinite } from './first-non-finite.ts'
import {
  BATCH,
  BATCHES,
  EMBEDDING,
  embedding,
  GRADIENT,
  type Graph,
  type GraphOptions,
  gradientStep,
  LOSS,
  lossAlone,
  optimizerTypes,
  pullback,
  RATE,
  SAMPLE,
  STATISTIC,
  trainedNames,
  update,
  variablesOf,
  wholeStep,
} from './graphs.ts'
import { type Held, hold, holdOnDevice, NEXT } from './held.ts'
import { packing } from './packing.ts'
import { programs } from './programs.ts'
import { roles } from './roles.ts'
import type { Statistic } from './statistics.ts'

export interface StepOptions extends GraphOptions, ComputeOptions {
  /**
   * No more rows than this go through the encoder at once. A larger batch is embedded in parts; its loss and the gradient
   * of the embeddings are taken over the whole of it, and the encoder's gradient again part by part: Gao, Zhang, Han,
   * Callan, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021, section 3. The gradient is
   * that of the whole batch, unless the encoder looks at other rows (batch normalisation in training sees one part).
   */
  readonly microBatch?: number | undefined
}

export interface StepResult {
  readonly loss: number
  readonly statistics: Readonly<Record<Statistic, number>>
  /** Some of the embeddings, as they were before the update. */
  readonly sample: Tensor
}

export interface Step {
  /** Trains on the batches: one update by the mean of their gradients. Loss and statistics are means over them. */
  run(batches: readonly Batch[], rate: number): Promise<StepResult>
  /** Goes back to what was held before the last run. */
  undo(): void
  /** After `undo`: which node of the last run first gave what is not finite; undefined if none did. */
  explain(): Promise<string | undefined>
  /** A copy of all that the step changes, to go back to. */
  snapshot(): Promise<Tensors>
  restore(snapshot: Tensors): Promise<void>
  /** Passes over what so many batches of so many rows would have drawn, to go on where another run has ended. */
  skip(batches: number, rows: number): void
  /** The encoder's variables as they are now. They change with the next step but one, so copy what has to stay. */
  variables(): Promise<Variables>
  release(): Promise<void>
}

interface Compiled extends Graph {
  readonly program: Program
}

/** Graphs are compiled for the shapes of each batch when they first come, and kept. */
export function createStep(options: StepOptions): Step {
  const { encoder, loss, augmentation, seed = 0, microBatch = Number.POSITIVE_INFINITY } = options
  if (loss.momentum !== undefined && microBatch !== Number.POSITIVE_INFINITY) {
    throw new UsageError('A slow encoder embeds whole batches. Leave the micro-batch out, or the momentum encoder.')
  }
  const compute = { threads: options.threads, device: options.device, onFallback: options.onFallback }
  const isResident = compute.device === 'webgpu'
  const known = programs<Compiled>()
  const draw = augmentation && drawsOf(augmentation, seed)
  const variables = variablesOf(options)
  const trained = trainedNames(variables)
  const gradients = Object.fromEntries(trained.map((name) => [GRADIENT + name, zeros(variables[name]!)]))
  const optimizerState = optimizerTypes(options)
  const layout = packing({ ...variables, ...optimizerState, ...gradients }, roles(variables, optimizerState))
  const sumNames = layout.holders(Object.keys(gradients))
  let held: Held | undefined
  /** What the last run ran, and what it was fed. */
  let ran: { readonly outputs: Graph['outputs']; readonly feeds: Tensors }[] = []
  let batchesSeen = 0

  /** Summed gradients take as much memory as the parameters, so they are held only where they are needed. */
  async function holding(sums: boolean): Promise<Held> {
    if (held && (!sums || sumNames.every((name) => held!.has(name)))) return held
    const state = Object.entries(optimizerState).map(([name, type]) => [name, zeros(type)] as const)
    const before = (await held?.snapshot()) ?? layout.pack({ ...variables, ...Object.fromEntries(state) })
    const tensors = { ...before, ...(sums && layout.pack(gradients)) }
    held = isResident ? holdOnDevice(tensors, new Set(sumNames), read) : hold(tensors, new Set(sumNames))
    return held
  }

  /** Tensors that lie on a device, through a graph that passes them on. */
  async function read(tensors: Tensors): Promise<Tensors> {
    const { program } = await compiled('read', tensors, () => {
      const values = Object.entries(toInputs(tensors)).map(([name, value]) => [name, one('Identity', [value])] as const)
      return { outputs: Object.fromEntries(values.map(([name, value]) => [`read ${name}`, value])), masks: [] }
    })
    const results = await program.run(tensors)
    return Object.fromEntries(Object.keys(tensors).map((name) => [name, results[`read ${name}`]!]))
  }

  function hasSums(tensors: Tensors): boolean {
    return sumNames.every((name) => name in tensors)
  }

  function open(outputs: Graph['outputs']): Promise<Program> {
    return compile(outputs, { ...compute, resident: Object.keys(outputs).filter((name) => name.startsWith(NEXT)) })
  }

  function compiled(kind: string, types: Readonly<Record<string, TensorType>>, build: () => Graph | Promise<Graph>) {
    const shapes = Object.entries(types).map(([name, { dtype, shape }]) => `${name} ${dtype} ${shape}`)
    return known.get([kind, ...shapes].join('; '), async () => {
      const graph = await build()
      return { ...graph, program: await open(kind === 'read' ? graph.outputs : layout.build(graph.outputs)) }
    })
  }

  /** What is fed for a batch besides what the graph's masks need. */
  function feedsOf(batch: Batch): Tensors {
    return {
      ...inputsOf(batch),
      ...examplesOf(batch),
      ...(draw && { [`${BATCH}drawn`]: draw(rowsOf(batch)) }),
    }
  }

  async function runPart(part: Compiled, feeds: Tensors, batch: string): Promise<Tensors> {
    const drawn = drawUniform(part.drawn ?? [], seed, batch)
    const fed = { ...feeds, ...drawMasks(part.masks, seed, batch), ...drawn }
    ran.push({ outputs: part.outputs, feeds: fed })
    return held!.run(part.program, fed)
  }

  async function runCached(batch: Batch, number: number): Promise<Tensors> {
    const parts = split(batch, microBatch).map((part) => ({
      types: part.inputs,
      rows: rowsOf(part),
      feeds: feedsOf(part),
    }))
    const rows = rowsOf(batch)
    const embeddings = {
      dtype: 'float32',
      shape: [rows, encoder.dimension],
      data: new Float32Array(rows * encoder.dimension),
    } as const
    let start = 0
    for (const [i, { types, feeds }] of parts.entries()) {
      const program = await compiled('embed', types, () => embedding(options, types))
      const { data } = (await runPart(program, feeds, `${number}.${i}`))[EMBEDDING]!
      embeddings.data.set(data as Float32Array, start)
      start += data.length
    }
    const alone = await compiled('loss', { embeddings }, () => lossAlone(options, embeddings))
    const results = await runPart(
      alone,
      { [EMBEDDING]: embeddings, ...inputsOf(batch), ...examplesOf(batch) },
      String(number),
    )
    const slopes = results[GRADIENT + EMBEDDING]!.data
    start = 0
    for (const [i, { types, rows, feeds }] of parts.entries()) {
      const shape = [rows, encoder.dimension]
      const upstream = { dtype: 'float32', shape, data: slopes.subarray(start, start + size(shape)) } as Tensor
      const program = await compiled('pullback', types, () => pullback(options, types))
      await runPart(program, { ...feeds, [GRADIENT + EMBEDDING]: upstream }, `${number}.${i}`)
      start += size(shape)
    }
    return results
  }

  async function runGradient(batch: Batch, number: number): Promise<Tensors> {
    if (rowsOf(batch) > microBatch) return runCached(batch, number)
    const program = await compiled('gradient', batch.inputs, () => gradientStep(options, batch.inputs))
    return runPart(program, feedsOf(batch), String(number))
  }

  return {
    async run(batches, rate) {
      const rateFed = { [RATE]: { dtype: 'float32', shape: [], data: Float32Array.of(rate) } } as const
      const whole = batches.length === 1 && rowsOf(batches[0]!) <= microBatch
      const state = await holding(!whole)
      state.mark()
      ran = []
      if (whole) {
        const [batch] = batches as [Batch]
        const program = await compiled('step', batch.inputs, () => wholeStep(options, batch.inputs))
        return resultOf([await runPart(program, { ...feedsOf(batch), ...rateFed }, String(batchesSeen++))])
      }
      state.clear(sumNames)
      const results: Tensors[] = []
      for (const batch of batches) results.push(await runGradient(batch, batchesSeen++))
      const { program } = await compiled('update', {}, () => update(options))
      await state.run(program, {
        ...rateFed,
        [BATCHES]: { dtype: 'float32', shape: [], data: Float32Array.of(batches.length) },
      })
      return resultOf(results)
    },
    undo: () => held?.undo(),
    async explain() {
      for (const { outputs, feeds } of ran) {
        const found = await firstNonFinite(outputs, { ...layout.unpack(await held!.current()), ...feeds }, compute)
        if (found !== undefined) return found
      }
      return undefined
    },
    snapshot: async () => (await holding(false)).snapshot(),
    restore: async (snapshot) => (await holding(hasSums(snapshot))).restore(snapshot),
    skip(batches, rows) {
      for (let i = 0; i < batches; i++) {
        for (let start = 0; start < rows; start += microBatch) draw?.(Math.min(microBatch, rows - start))
      }
      batchesSeen += batches
    },
    async variables() {
      const current = layout.unpack(await (await holding(false)).current())
      return Object.fromEntries(
        Object.entries(options.variables).map(([name, variable]) => [
          name,
          { ...variable, data: current[name]!.data as Float32Array },
        ]),
      )
    },
    release: () => known.release(),
  }
}

/** Means over the batches of a step. */
function resultOf(results: readonly Tensors[]): StepResult {
  const mean = (name: string) => results.reduce((sum, each) => sum + Number(each[name]!.data[0]), 0) / results.length
  const statistics = Object.keys(results[0]!).filter((name) => name.startsWith(STATISTIC))
  return {
    loss: mean(LOSS),
    statistics: Object.fromEntries(statistics.map((name) => [name.slice(STATISTIC.length), mean(name)])) as Record<
      Statistic,
      number
    >,
    sample: results.at(-1)![SAMPLE]!,
  }
}

function zeros(type: TensorType): Tensor {
  return { dtype: type.dtype, shape: type.shape, data: allocate(type) }
}
