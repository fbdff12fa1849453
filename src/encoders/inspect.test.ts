/** What is said of files that others wrote, and that damaged ones do no harm. */
import { expect, test } from 'vitest'
import { importing } from '../../test/imported.ts'
import { model, node, tensor, type Written, weights } from '../../test/onnx.ts'
import { readReferenceFile } from '../../test/reference.ts'
import { DataError } from '../errors.ts'
import { readModel, writeModel } from '../onnx/codec.ts'
import type { Model } from '../onnx/schema.ts'
import { random } from '../random.ts'
import { inspect } from './inspect.ts'

const names = ['convolutional', 'residual', 'transformer'] as const
const file = (name: (typeof names)[number]) => readReferenceFile(`training/${name}.onnx`)

/** The file, with something in it changed. */
function changed(change: (model: Model) => void): Uint8Array {
  const model = readModel(file('convolutional'))
  change(model)
  return writeModel(model)
}

test('what PyTorch exported', () => {
  const found = inspect(file('convolutional'))
  expect(found).toMatchObject({
    producer: 'pytorch 1.13.0',
    operatorSet: 16,
    inputs: [{ name: 'image', type: 'float32', shape: ['batch', 1, 12, 12] }],
    outputs: [{ name: 'embedding', type: 'float32', shape: ['batch', 12] }],
    parameterCount: 8 * 9 + 8 + 16 * 8 * 9 + 16 + 12 * 16 + 12,
  })
  expect(found.parameters[0]).toEqual({ name: 'f.0.0.weight', shape: [8, 1, 3, 3] })
  expect(found.operators).toContainEqual({ operator: 'Conv', nodes: 2, gradient: 'yes' })
  const transformer = inspect(file('transformer'))
  expect(transformer.inputs.map(({ name, type }) => [name, type])).toEqual([
    ['input_ids', 'int64'],
    ['attention_mask', 'int64'],
  ])
  expect(transformer.operators).toContainEqual({ operator: 'Range', nodes: 1, gradient: 'none' })
  for (const name of names) {
    expect(inspect(file(name)).operators.filter(({ gradient }) => gradient === 'unknown')).toEqual([])
  }
})

test('an operator of which no gradient is known, and one of another domain', () => {
  const found = inspect(
    changed(({ graph }) => {
      graph.nodes[1]!.operator = 'NonMaxSuppression'
      graph.nodes[1]!.name = 'boxes'
      graph.nodes[2]!.domain = 'com.example'
    }),
  )
  expect(found.operators.filter(({ gradient }) => gradient === 'unknown')).toEqual([
    { operator: 'NonMaxSuppression', nodes: 1, gradient: 'unknown', node: 'boxes' },
    { operator: 'com.example.MaxPool', nodes: 1, gradient: 'unknown', node: expect.any(String) },
  ])
})

const linear: Written = {
  nodes: [node('MatMul', ['x', 'w'], ['out'])],
  initializers: { w: weights([4, 3]) },
  inputs: { x: ['float32', 'n', 4] },
}

/** Weights of another type than float32. */
function ofType(written: Model, dataType: number, width: number): Model {
  for (const each of written.graph.initializers) {
    Object.assign(each, { dataType, rawData: new Uint8Array(width * each.dimensions.reduce((a, b) => a * b, 1)) })
  }
  return written
}

test.each<[string, Model]>([
  ['an old operator set', model({ ...linear, operatorSet: 12 })],
  ['weights of float16', ofType(model(linear), 10, 2)],
  ['weights of float64', ofType(model(linear), 11, 8)],
  ['a Cast', model({ ...linear, nodes: [node('Cast', ['x'], ['half'], { to: 10 }), node('Relu', ['half'], ['out'])] })],
  ['a value that nothing gives', model({ ...linear, nodes: [node('MatMul', ['x', 'lost'], ['out'])] })],
  ['branches', model({ ...linear, nodes: [...linear.nodes, node('If', ['out'], ['end'])], outputs: ['end'] })],
  ['no rule', model({ ...linear, nodes: [node('MatMul', ['x', 'w'], ['h']), node('Det', ['h'], ['out'])] })],
])('what training refuses, in its words: %s', async (_, written) => {
  const { refusal } = inspect(writeModel(written))
  expect(refusal).toBeTypeOf('string')
  await expect(importing(written)).rejects.toThrow(refusal)
})

test('what float16 and float64 are used by is said', () => {
  expect(inspect(writeModel(ofType(model(linear), 10, 2))).refusal).toBe(
    'The model has constants of float16 in MatMul (MatMul to out); expected float32, integers or bool. Export the model in float32.',
  )
})

test('what nothing is refused of: operators without a gradient among shapes, and statistics', () => {
  const found = inspect(
    writeModel(
      model({
        nodes: [
          node('Shape', ['x'], ['shape']),
          node('Cast', ['shape'], ['real'], { to: 1 }),
          node('Floor', ['real'], ['whole']),
          node('Cast', ['whole'], ['back'], { to: 7 }),
          node('Reshape', ['x', 'back'], ['same']),
          node('BatchNormalization', ['same', 'scale', 'shift', 'mean', 'variance'], ['h']),
          node('MatMul', ['h', 'w'], ['out']),
        ],
        initializers: {
          ...{ scale: weights([4]), shift: weights([4]), mean: weights([4]) },
          ...{ variance: tensor('float32', [4], [1, 1, 1, 1]), w: weights([4, 3]) },
        },
        inputs: { x: ['float32', 'n', 4] },
      }),
    ),
  )
  expect(found.refusal).toBeUndefined()
  expect(found.operators).toContainEqual({ operator: 'Floor', nodes: 1, gradient: 'none' })
  expect(found.operators).toContainEqual({ operator: 'BatchNormalization', nodes: 1, gradient: 'yes' })
  expect(found.parameters.map(({ name }) => name)).toEqual(['scale', 'shift', 'w'])
  expect(found.parameterCount).toBe(4 + 4 + 12)
  expect(found.outputs).toEqual([{ name: 'out' }])
})

test('statistics are no parameters of a file that cannot be read for training either', () => {
  const found = inspect(
    writeModel(
      model({
        nodes: [node('BatchNormalization', ['x', 'scale', 'shift', 'mean', 'variance'], ['out'])],
        initializers: { scale: weights([4]), shift: weights([4]), mean: weights([4]), variance: weights([4]) },
        inputs: { x: ['float32', 'n', 4] },
        operatorSet: 9,
      }),
    ),
  )
  expect(found.refusal).toMatch(/operator set 9/)
  expect(found.parameters.map(({ name }) => name)).toEqual(['scale', 'shift'])
})

test.each<[string, (model: Model) => void, RegExp]>([
  [
    'data that do not fill the shape',
    ({ graph }) => {
      graph.initializers[0]!.dimensions = [9, 1, 3, 3]
    },
    /f\.0\.0\.weight of shape \[9, 1, 3, 3\] has 288 bytes; expected 324/,
  ],
  [
    'a shape of more elements than there are numbers',
    ({ graph }) => {
      graph.initializers[0]!.dimensions = [2 ** 40, 2 ** 40]
    },
    /which no tensor has/,
  ],
  [
    'a negative extent',
    ({ graph }) => {
      graph.initializers[0]!.dimensions = [-8, 9]
    },
    /which no tensor has/,
  ],
  ...['../secret', '/etc/passwd', 'a/../../b', 'C:\\x', ''].map(
    (location): [string, (model: Model) => void, RegExp] => [
      `data at ${JSON.stringify(location)}`,
      ({ graph }) => {
        Object.assign(graph.initializers[0]!, {
          rawData: new Uint8Array(),
          dataLocation: 1,
          externalData: [{ key: 'location', value: location }],
        })
      },
      /expected a file in the model's own directory/,
    ],
  ),
])('%s is refused', (_, change, message) => {
  expect(() => inspect(changed(change))).toThrow(message)
})

test('data in a file beside the model are allowed for', () => {
  const bytes = changed(({ graph }) => {
    Object.assign(graph.initializers[0]!, {
      rawData: new Uint8Array(),
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights/model.bin' }],
    })
  })
  expect(inspect(bytes).parameterCount).toBe(inspect(file('convolutional')).parameterCount)
})

test('2,100 damaged files are refused in one line or looked into', () => {
  const { integer } = random(0, 'damage')
  let refused = 0
  for (const name of names) {
    const whole = file(name)
    for (let i = 0; i < 700; i++) {
      const bytes = i % 3 === 0 ? whole.slice(0, integer(whole.length)) : whole.slice()
      for (let flips = i % 3; flips > 0 && bytes.length > 0; flips--) bytes[integer(bytes.length)]! ^= 1 << integer(8)
      try {
        inspect(bytes)
      } catch (error) {
        refused++
        expect(error).toBeInstanceOf(DataError)
        expect((error as Error).message).not.toContain('\n')
      }
    }
  }
  expect(refused).toBeGreaterThan(500)
})
