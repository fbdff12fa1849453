/** Whether a graph gives the same in the forms that it is given for this processor. */
import { expect } from 'vitest'
import { compile } from '../src/compile.ts'
import { toModel } from '../src/graph/to-onnx.ts'
import type { Value } from '../src/graph/value.ts'
import { writeModel } from '../src/onnx/codec.ts'
import { open } from '../src/runtime/node.ts'
import type { Tensors } from '../src/runtime/session.ts'
import { expectClose } from './tolerance.ts'

/** Runs the graph as it is, and compiled, on the same numbers. */
export async function expectCompiledSame(outputs: Readonly<Record<string, Value>>, feeds: Tensors) {
  const plain = await open(writeModel(toModel(outputs)), { threads: 2 })
  const expected = await plain.run(feeds)
  await plain.release()
  const compiled = await compile(outputs, { threads: 2 })
  const found = await compiled.run(feeds)
  await compiled.release()
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(found[name]!.shape, name).toEqual(shape)
    expectClose(found[name]!.data, data, name)
  }
}
