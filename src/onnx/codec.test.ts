import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readReferenceFile } from '../../test/reference.ts'
import { DataError } from '../errors.ts'
import { readModel, writeModel } from './codec.ts'

test('files that PyTorch exported survive reading and writing without a change', () => {
  for (const name of ['convolutional', 'residual', 'transformer']) {
    const bytes = readReferenceFile(`training/${name}.onnx`)
    const model = readModel(bytes)
    expect(model.producerName).toBe('pytorch')
    expect(model.graph.nodes.length).toBeGreaterThan(5)
    const again = readModel(writeModel(model))
    expect(again).toEqual(model)
  }
})

test('equal models give equal bytes', () => {
  const model = readModel(readReferenceFile('training/residual.onnx'))
  expect(writeModel(model)).toEqual(writeModel(structuredClone(model)))
})

test('what is not a model is refused in one line, whatever the bytes', () => {
  expect(() => readModel(new Uint8Array())).toThrow(/Not an ONNX model: it has no graph/)
  expect(() => readModel(new TextEncoder().encode('hello, world'))).toThrow(DataError)
  const bytes = readReferenceFile('training/convolutional.onnx')
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      try {
        readModel(bytes.slice(0, length))
      } catch (error) {
        expect(error).toBeInstanceOf(DataError)
        expect((error as Error).message).not.toContain('\n')
      }
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        readModel(noise)
      } catch (error) {
        expect(error).toBeInstanceOf(DataError)
      }
    }),
  )
})
