/** Items as rows of LanceDB's table. */
import type { FixedSizeList, Float32, Schema, Table } from 'apache-arrow'
import type { MetadataColumn } from '../store/backend.ts'
import { type Entry, keyOf, type Scalar } from '../store/entry.ts'
import type { Items } from '../store/part.ts'
import type { Packages } from './package.ts'

/** The column of the n-th column of metadata: any name may be one, but not in every database. */
export const columnAt = (place: number) => `column_${place}`

export function schemaOf({ arrow }: Packages, dimension: number, columns: readonly MetadataColumn[]): Schema {
  const { Field, Utf8 } = arrow
  const numbers = new arrow.FixedSizeList(dimension, new Field('item', new arrow.Float32(), true))
  return new arrow.Schema([
    new Field('vector', numbers, true),
    new Field('key', new Utf8(), true),
    new Field('item', new Utf8(), true),
    new Field('label', new Utf8(), true),
    new Field('path', new Utf8(), true),
    new Field('entry', new Utf8(), true),
    ...columns.map(({ type }, i) => new Field(columnAt(i), typeOf({ arrow }, type), true)),
  ])
}

function typeOf({ arrow }: Pick<Packages, 'arrow'>, type: MetadataColumn['type']) {
  if (type === 'number') return new arrow.Float64()
  return type === 'boolean' ? new arrow.Bool() : new arrow.Utf8()
}

/** How SQL names what a column of metadata holds. */
export const sqlTypes = { text: 'string', number: 'double', boolean: 'boolean' } as const

export function tableOf(
  packages: Packages,
  schema: Schema,
  { vectors, entries }: Items,
  columns: readonly MetadataColumn[],
): Table {
  const { arrow } = packages
  const { length } = entries
  const list = schema.fields[0]!.type
  const numbers = arrow.makeData({ type: new arrow.Float32(), length: vectors.length, data: vectors })
  const texts = (of: (entry: Entry) => string | null | undefined) =>
    arrow.vectorFromArray(
      entries.map((entry) => of(entry) ?? null),
      new arrow.Utf8(),
    ).data[0]!
  const children = [
    arrow.makeData({ type: list as FixedSizeList<Float32>, length, nullCount: 0, child: numbers }),
    texts(keyOf),
    texts(({ item }) => item),
    texts(({ label }) => label),
    texts(({ path }) => path),
    texts((entry) => JSON.stringify(entry)),
    ...columns.map(({ name, type }) => {
      const values = entries.map(({ metadata }) => fitting(metadata?.[name] ?? null, type))
      return arrow.vectorFromArray(values, typeOf(packages, type)).data[0]!
    }),
  ]
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length, nullCount: 0, children })
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, struct)])
}

/** Another table may have other values in a column of this name. */
function fitting(value: Scalar, type: MetadataColumn['type']): Scalar {
  if (value === null) return null
  if (type === 'text') return String(value)
  return typeof value === type ? value : null
}
