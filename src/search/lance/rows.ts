/** Items as rows of an Arrow table: no number of a vector becomes a JavaScript value of its own. */
import type { Data, Table } from 'apache-arrow'
import { columnOf, type Entry, ownColumns } from '../store/entry.ts'
import type { Items } from '../store/part.ts'
import { type Batch, loadPackages } from './package.ts'
import { columnNames, kindOfValue } from './sql.ts'

/** The names of columns by their numbers: those that all items have, and those of their metadata. */
export const numbered = (metadata: readonly string[]): string[] => [...ownColumns, ...metadata]

/** The number by which conditions find a column. */
export function numberOf(name: string, metadata: readonly string[]): number {
  return numbered(metadata).indexOf(name)
}

/** Columns that a table gets when items first have them. */
export function newColumns(from: number, to: number): { name: string; valueSql: string }[] {
  return Array.from({ length: to - from }, (_, i) => columnNames(from + i)).flatMap(({ text, number, kind }) => [
    { name: text, valueSql: 'CAST(NULL AS STRING)' },
    { name: number, valueSql: 'CAST(NULL AS DOUBLE)' },
    { name: kind, valueSql: 'CAST(NULL AS STRING)' },
  ])
}

/** A table of items, whose numbers begin at `first`. */
export function toTable(items: Items, dimension: number, metadata: readonly string[], first: number): Table {
  const { arrow } = loadPackages()
  const { Field, FixedSizeList, Float32, Float64, Int32, RecordBatch, Schema, Struct, Utf8 } = arrow
  const { makeData, vectorFromArray } = arrow
  const { vectors, entries } = items
  const length = entries.length
  const list = new FixedSizeList(dimension, new Field('item', new Float32(), true))
  const texts = (values: (string | null)[]): Data => dataOf(vectorFromArray(values, new Utf8()), length)
  const columns: [string, Data][] = [
    ['id', makeData({ type: new Int32(), data: Int32Array.from(entries, (_, i) => first + i) })],
    [
      'vector',
      makeData({ type: list, length, nullCount: 0, child: makeData({ type: new Float32(), data: vectors.slice() }) }),
    ],
    ['entry', texts(entries.map((entry) => JSON.stringify(entry)))],
  ]
  for (const [number, name] of numbered(metadata).entries()) {
    const values = entries.map((entry) => columnOf(entry)(name))
    const names = columnNames(number)
    columns.push([names.text, texts(values.map((value) => (value === null ? null : String(value))))])
    columns.push([names.number, dataOf(vectorFromArray(values.map(numberIn), new Float64()), length)])
    columns.push([names.kind, texts(values.map((value) => (value === null ? null : kindOfValue(value))))])
  }
  const schema = new Schema(columns.map(([name, { type }]) => new Field(name, type, true)))
  const struct = new Struct(schema.fields)
  const children = columns.map(([, data]) => data)
  return new arrow.Table(schema, [new RecordBatch(schema, makeData({ type: struct, length, nullCount: 0, children }))])

  function dataOf({ data }: { data: readonly Data[] }, rows: number): Data {
    return data[0] ?? makeData({ type: new Utf8(), length: rows })
  }
}

/** Texts that are numbers are compared with numbers as such. */
function numberIn(value: ReturnType<ReturnType<typeof columnOf>>): number | null {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value === '' || Number.isNaN(Number(value))) return null
  return Number(value)
}

/** The numbers of the rows of a batch. */
export function idsOf(batch: Batch): Int32Array {
  return batch.getChild('id')!.toArray() as Int32Array
}

/** The vectors of a batch, side by side. */
export function vectorsOf(batch: Batch, dimension: number): Float32Array {
  const found = new Float32Array(batch.numRows * dimension)
  let at = 0
  for (const data of batch.getChild('vector')!.data) {
    const values = data.children[0]!.values as Float32Array
    const start = data.offset * dimension
    found.set(values.subarray(start, start + data.length * dimension), at)
    at += data.length * dimension
  }
  return found
}

/** The entries of a batch. */
export function* entriesOf(batch: Batch): Generator<Entry> {
  const texts = batch.getChild('entry')!
  for (let row = 0; row < batch.numRows; row++) yield JSON.parse(texts.get(row) as string) as Entry
}
