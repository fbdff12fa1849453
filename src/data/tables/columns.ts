/** Which columns of a table are what. */
import { UsageError } from '../../errors.ts'

/** Columns by name; those that are left out are looked for by the usual names. */
export interface ColumnOptions {
  /** The class of a row: `label`, `class` or `category`. */
  readonly labelColumn?: string | undefined
  /** The path of an image, relative to the table: `path`, `file`, `filename` or `image`. */
  readonly pathColumn?: string | undefined
  /** One column of lists, or many of numbers: `vector`, `embedding`, `embeddings` or `features`. */
  readonly vectorColumns?: readonly string[] | undefined
  /** What a row is called: `item`, `name` or `id`. */
  readonly itemColumn?: string | undefined
  /** What is not compared with each other, as a camera: `group` or `camera`. */
  readonly groupColumn?: string | undefined
  /** `train`, or `validation` or `test`, which is held out: `split`. */
  readonly splitColumn?: string | undefined
  /** `query` or `gallery`: `role`. */
  readonly roleColumn?: string | undefined
  /** How similar the two of a pair are: `score`. */
  readonly scoreColumn?: string | undefined
  /** The part of an image that is the example, in pixels: `x`, `y`, `width` and `height`. */
  readonly boxColumns?: readonly string[] | undefined
}

export interface Column {
  readonly name: string
  readonly type: string
}

/** The columns that were found. */
export interface Columns {
  readonly label?: Column | undefined
  readonly path?: Column | undefined
  readonly vectors?: readonly Column[] | undefined
  readonly item?: Column | undefined
  readonly group?: Column | undefined
  readonly split?: Column | undefined
  readonly role?: Column | undefined
  readonly score?: Column | undefined
  readonly box?: readonly Column[] | undefined
  /** The parts of tuples, of paths or of lists: anchor, positive, negative, or a and b. */
  readonly members?: readonly Column[] | undefined
}

const usual = {
  label: ['label', 'class', 'category'],
  path: ['path', 'file', 'filename', 'image'],
  vectors: ['vector', 'embedding', 'embeddings', 'features'],
  item: ['item', 'name', 'id'],
  group: ['group', 'camera'],
  split: ['split'],
  role: ['role'],
  score: ['score'],
}
const BOX = ['x', 'y', 'width', 'height']
const MEMBERS = [
  ['anchor', 'positive', 'negative', 'secondNegative'],
  ['a', 'b'],
]

/** @throws UsageError if a column that was named is not there, or there is nothing to make examples of. */
export function findColumns(found: readonly Column[], options: ColumnOptions, table: string): Columns {
  const byName = new Map(found.map((column) => [column.name.toLowerCase(), column]))
  const there = found.map(({ name }) => name).join(', ')
  const named = (name: string, what: string): Column => {
    const column = byName.get(name.toLowerCase())
    if (column) return column
    throw new UsageError(`${table} has no column ${name} (${what}). It has ${there}.`)
  }
  const one = (what: 'label' | 'path' | 'item' | 'group' | 'split' | 'role' | 'score') => {
    const asked = options[`${what}Column`]
    if (asked !== undefined) return named(asked, what)
    return usual[what].map((name) => byName.get(name)).find((column) => column !== undefined)
  }

  const members = MEMBERS.map((parts) => parts.flatMap((name) => byName.get(name.toLowerCase()) ?? [])).find(
    (parts) => parts.length >= 2,
  )
  const asked = options.vectorColumns?.map((name) => named(name, 'vectors'))
  const list = usual.vectors.map((name) => byName.get(name)).find((column) => column && isList(column))
  const columns: Columns = {
    label: one('label'),
    path: one('path'),
    vectors: asked ?? (list && [list]),
    item: one('item'),
    group: one('group'),
    split: one('split'),
    role: one('role'),
    score: one('score'),
    box: boxOf(byName, options, named),
    members,
  }
  if (columns.vectors || columns.path || members) return columns
  // Many columns of numbers, where nothing else is said.
  const used = new Set([columns.label, columns.item, columns.group, columns.split, columns.role, columns.score])
  const numbers = found.filter((column) => !used.has(column) && isNumber(column))
  if (numbers.length > 0) return { ...columns, box: undefined, vectors: numbers }
  throw new UsageError(
    `${table} has no column of paths (${usual.path.join(', ')}), vectors (${usual.vectors.join(', ')}, or numbers) or tuples ` +
      `(anchor, positive, negative; a, b, score). It has ${there}. Name them with --path-column or --vector-columns.`,
  )
}

function boxOf(
  byName: ReadonlyMap<string, Column>,
  { boxColumns }: ColumnOptions,
  named: (name: string, what: string) => Column,
): readonly Column[] | undefined {
  if (boxColumns) {
    if (boxColumns.length === 4) return boxColumns.map((name) => named(name, 'box'))
    throw new UsageError(`A box has four columns, x, y, width and height, found ${boxColumns.join(', ')}.`)
  }
  const box = BOX.map((name) => byName.get(name))
  return box.every((column) => column !== undefined) ? (box as Column[]) : undefined
}

/** Whether values are lists of numbers. */
export function isList({ type }: Column): boolean {
  return /\[\d*\]$/.test(type)
}

/** Whether values are numbers. */
export function isNumber({ type }: Column): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/.test(type)
}
