/** Losses as people write them, a formula or a module's export, made into something that can be checked. */
import { UsageError } from '../errors.ts'
import { input, Value } from '../graph/value.ts'
import type { Loss, TripletDistances, TripletFormula } from '../losses/loss.ts'
import { mean } from '../losses/reducers.ts'
import { triplet } from '../losses/triplet.ts'
import { metricsByName } from '../metrics/by-name.ts'
import type { Metric } from '../metrics/metric.ts'
import { cosine } from '../metrics/sphere.ts'
import { check, type Report } from './check-loss.ts'
import { parseExpression } from './expression.ts'

export interface SourceOptions {
  /** The name of the metric that the distances are in; `cosine` if left out. */
  readonly metric?: string
  /** In the metric's unit. */
  readonly margin?: number
}

export interface Check extends Report {
  readonly loss: { readonly text: string; readonly metric: string; readonly margin: number | null }
}

/**
 * Checks a formula such as `max(ap - an + margin, 0)`.
 *
 * @throws UsageError if it cannot be read, or has a margin and none is given, or none and one is given.
 */
export async function checkExpression(text: string, { metric, margin }: SourceOptions): Promise<Check> {
  const expression = parseExpression(text)
  if (margin !== undefined && !expression.hasMargin) {
    throw new UsageError(
      `The formula \`${text}\` has no margin. Write \`margin\` where it belongs, or leave --margin out.`,
    )
  }
  const formula = expression.with(margin)
  const withMargin = expression.hasMargin ? expression.with : undefined
  const loss = triplet(formula, { metric: metricOf(metric), reduce: mean })
  return {
    loss: { text, metric: loss.metric.name, margin: margin ?? null },
    ...(await check({ loss, margin, withMargin })),
  }
}

/**
 * Checks what a module exports: a loss, a formula over distances, a function that makes either of `{ metric, margin }`, or
 * a function of the embeddings themselves, `(anchor, positive, negative) => …`, each [n, d], that gives one number or one
 * for each triplet.
 *
 * @throws UsageError if there is no such export, or it is nothing that can be checked.
 */
export async function checkExport(
  loaded: Readonly<Record<string, unknown>>,
  file: string,
  options: SourceOptions & { readonly export?: string },
): Promise<Check> {
  // What a CommonJS file exports may be the loss itself.
  const module: Readonly<Record<string, unknown>> =
    isLoss(loaded) || typeof loaded === 'function' ? { default: loaded } : loaded
  const name = options.export ?? nameOf(module, file)
  if (!(name in module)) {
    throw new UsageError(`${file} exports no ${name}; it exports ${listed(module)}. Choose one with --export.`)
  }
  const exported = module[name]
  const text = `${name} of ${file}`
  if (isLoss(exported)) {
    if (options.metric !== undefined || options.margin !== undefined) {
      throw new UsageError(
        `${text} is a loss with a metric and a margin of its own. Leave --metric and --margin out; they are for formulas.`,
      )
    }
    return ofLoss(exported, text)
  }
  if (typeof exported !== 'function') {
    throw new UsageError(
      `${text} is ${kind(exported)}; expected a loss, or a formula such as ({ ap, an }) => ap.sub(an).`,
    )
  }
  const metric = metricOf(options.metric)
  if (exported.length >= 2) {
    if (options.margin !== undefined) {
      throw new UsageError(`${text} takes embeddings, and has its margin in itself. Leave --margin out.`)
    }
    return ofLoss(overEmbeddings(exported as OverEmbeddings, text, metric), text)
  }
  const made = asked(exported as Maker, metric, options.margin)
  if (isLoss(made.result)) return ofLoss(made.result, text)
  if (!(made.result instanceof Value)) {
    throw new UsageError(
      `${text} gives ${kind(made.result)} for the distances of triplets; expected a value of the graph, as ap.sub(an).add(margin).relu() is. Plain arithmetic cannot be differentiated.`,
    )
  }
  if (made.usesMargin && options.margin === undefined) {
    throw new UsageError(`${text} has a margin. Say how large it is with --margin.`)
  }
  const withMargin = (margin: number): TripletFormula => {
    return (distances) => (exported as Maker)(argument(distances, metric, margin)) as Value
  }
  const { margin } = options
  const loss = triplet(withMargin(margin as number), { metric, reduce: mean })
  const subject = { loss, margin, withMargin: made.usesMargin ? withMargin : undefined }
  return { loss: { text, metric: metric.name, margin: margin ?? null }, ...(await check(subject)) }
}

async function ofLoss(loss: Loss, text: string): Promise<Check> {
  const { margin } = loss.settings ?? {}
  const known = typeof margin === 'number' ? margin : undefined
  return {
    loss: { text, metric: loss.metric.name, margin: known ?? null },
    ...(await check({ loss, margin: known })),
  }
}

type OverEmbeddings = (anchor: Value, positive: Value, negative: Value) => unknown

function overEmbeddings(of: OverEmbeddings, name: string, metric: Metric): Loss {
  return {
    name,
    metric,
    build(examples) {
      if (examples.kind !== 'tuples') throw new UsageError(`${name} takes tuples.`)
      const value = of(examples.anchor, examples.positive, examples.negative)
      if (value instanceof Value) return { value: value.mean() }
      throw new UsageError(
        `${name} gives ${kind(value)} for embeddings; expected a value of the graph. Plain arithmetic cannot be differentiated.`,
      )
    },
  }
}

type Maker = (from: TripletDistances & { readonly metric: Metric; readonly margin: number | undefined }) => unknown

/** What a function gives for distances of triplets, and whether it asks for the margin on the way. */
function asked(maker: Maker, metric: Metric, margin: number | undefined) {
  const [ap, an, pn] = ['ap', 'an', 'pn'].map((name) => input(name, 'float32', [2])) as [Value, Value, Value]
  let usesMargin = false
  const result = maker({
    ap,
    an,
    pn,
    metric,
    get margin() {
      usesMargin = true
      return margin ?? 0
    },
  })
  return { result, usesMargin }
}

function argument(distances: TripletDistances, metric: Metric, margin: number | undefined): Parameters<Maker>[0] {
  // Not spread: reading pn has a price where it is not at hand.
  return Object.assign(Object.create(distances), { metric, margin })
}

function nameOf(module: Readonly<Record<string, unknown>>, file: string): string {
  const names = Object.keys(module)
  if (names.includes('default')) return 'default'
  if (names.length === 1) return names[0]!
  throw new UsageError(`${file} exports ${listed(module)}. Choose one with --export.`)
}

function listed(module: Readonly<Record<string, unknown>>): string {
  return Object.keys(module).join(', ') || 'nothing'
}

function isLoss(x: unknown): x is Loss {
  const loss = x as Partial<Loss> | null
  return typeof loss === 'object' && loss !== null && typeof loss.build === 'function' && isMetric(loss.metric)
}

function isMetric(x: unknown): x is Metric {
  const metric = x as Partial<Metric> | null | undefined
  return typeof metric?.pairwise === 'function' && Array.isArray(metric.range)
}

function metricOf(name: string | undefined): Metric {
  return name === undefined ? cosine : metricsByName.get(name)!
}

function kind(x: unknown): string {
  if (x === null || x === undefined) return String(x)
  return typeof x === 'number' ? `the number ${x}` : `a ${typeof x}`
}
