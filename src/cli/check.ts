/** `isometry check` */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Check, checkExport, checkExpression } from '../checking/from-source.ts'
import type { Evidence, Problem, Trait } from '../checking/index.ts'
import { DataError, UsageError } from '../errors.ts'
import { paragraph } from './paragraph.ts'

export interface CheckArguments {
  readonly formula?: string
  readonly export?: string
  readonly metric?: string
  readonly margin?: number
  readonly json?: boolean
}

/** Exit code 1 where the loss has problems; what cannot be checked is wrong usage, whatever the reason: 2. */
export async function check(file: string | undefined, options: CheckArguments): Promise<void> {
  let found: Check
  try {
    found = await checkWith(file, options)
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(`It could not be checked: ${reason(error)}`, { cause: error })
  }
  process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : text(found))
  if (found.problems.length > 0) process.exitCode = 1
}

async function checkWith(file: string | undefined, { formula, ...options }: CheckArguments): Promise<Check> {
  if (formula !== undefined) {
    if (file !== undefined || options.export !== undefined) {
      throw new UsageError('A formula and a file are two things to check. Give one of them.')
    }
    return checkExpression(formula, options)
  }
  if (file === undefined) {
    throw new UsageError('There is nothing to check. Name a file that exports a loss, or write one with --formula.')
  }
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new DataError(`There is no file ${file}. Name a TypeScript or JavaScript file.`)
  return checkExport(await load(file), file, options)
}

/** Loads a module in which `isometry` means this very installation, so that its losses are made of our values. */
async function load(file: string): Promise<Record<string, unknown>> {
  const { createJiti } = await import('jiti')
  const url = pathToFileURL(resolve(file)).href
  const jiti = createJiti(url, { virtualModules: await installation(), fsCache: false, interopDefault: false })
  try {
    return await jiti.import<Record<string, unknown>>(url)
  } catch (error) {
    throw new DataError(`${file} cannot be loaded: ${reason(error)}`, { cause: error })
  }
}

async function installation(): Promise<Record<string, unknown>> {
  return {
    isometry: await import('../index.ts'),
    'isometry/graph': await import('../graph/index.ts'),
    'isometry/metrics': await import('../metrics/index.ts'),
    'isometry/mining': await import('../mining/index.ts'),
    'isometry/losses': await import('../losses/index.ts'),
    'isometry/encoders': await import('../encoders/index.ts'),
    'isometry/optimizers': await import('../optimizers/index.ts'),
    'isometry/inputs': await import('../inputs/index.ts'),
    'isometry/data': await import('../data/index.ts'),
    'isometry/search': await import('../search/index.ts'),
    'isometry/evaluation': await import('../evaluation/index.ts'),
    'isometry/model': await import('../model/index.ts'),
    'isometry/training': await import('../training/index.ts'),
    'isometry/report': await import('../report/index.ts'),
    'isometry/checking': await import('../checking/index.ts'),
  }
}

function reason(error: unknown): string {
  const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line!.trim()
}

function text({ loss, problems, traits }: Check): string {
  const margin = loss.margin === null ? '' : `, margin ${loss.margin}`
  const lines = [`${loss.text}, metric ${loss.metric}${margin}`, '']
  const count =
    problems.length === 0 ? 'No problem' : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
  lines.push(count, ...problems.flatMap(problem))
  if (traits.length > 0) lines.push('', 'Traits', ...traits.flatMap(trait))
  return `${lines.join('\n')}\n`
}

function problem(found: Problem): string[] {
  return [...trait(found), ...paragraph(`Write instead: ${found.instead}`, 4)]
}

function trait({ title, detail, evidence }: Problem | Trait): string[] {
  return [`  ${title}`, ...paragraph(detail, 4), ...evidence.flatMap((each) => paragraph(sample(each), 6))]
}

function sample({ distances: { ap, an }, value, gradient }: Evidence): string {
  const where = `d(a,p) ${figure(ap)}, d(a,n) ${figure(an)}: loss ${figure(value)}`
  return gradient ? `${where}, gradient ${figure(gradient.ap)} by d(a,p), ${figure(gradient.an)} by d(a,n)` : where
}

function figure(x: number): string {
  return Number.isFinite(x) ? (Math.abs(x) < 5e-4 ? '0' : x.toPrecision(3)).replace('-', '−') : String(x)
}
