/** `isometry train`: what it prints, what it leaves, and what it refuses. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectError, fixture, quick } from './fixture.ts'
import { writeImages } from './images.ts'
import { isometry } from './in-process.ts'

let { at, data, model, trained, dispose } = {} as Awaited<ReturnType<typeof fixture>>
beforeAll(async () => {
  ;({ at, data, model, trained, dispose } = await fixture())
})
afterAll(() => dispose())

describe('train', () => {
  test('a collapse is said in the progress and in the history, and ends training where it is told to', async () => {
    const hopeless = at('hopeless')
    await writeImages(hopeless, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], 6, { alike: false })
    const settings = ['--image-size', '12', '--grayscale', '--steps', '40', '--learning-rate', '0.02', '--threads', '1']
    const args = [
      'train',
      hopeless,
      ...settings,
      '--loss',
      'triplet',
      '--mining',
      'batchHard',
      '--hold-out-classes',
      '0',
    ]
    const warned = await isometry([...args, '--out', at('collapsed')])
    expect(warned.code, warned.stderr).toBe(0)
    expect(warned.stderr).toMatch(/warning: Training collapsed at step \d+: .*learning rate \(0.02 now\)/)
    expect(warned.stderr).toMatch(/step 40\/40, loss 0\.2\d+, collapsed/)
    expect(await readFile(join(at('collapsed'), 'history.jsonl'), 'utf8')).toContain('"event":"collapsed"')

    expectError(await isometry([...args, '--on-collapse', 'stop', '--out', at('none')]), 1, /collapsed at step \d+/)
    await expect(readdir(at('none'))).rejects.toThrow()
    const recovered = await isometry([...args, '--on-collapse', 'recover', '--out', at('recovered')])
    expect(recovered.stderr).toMatch(/warning: Went back to the parameters of the beginning/)
  })

  test('ends with one JSON object; progress and warnings go to standard error', () => {
    expect(trained.code, trained.stderr).toBe(0)
    const result = JSON.parse(trained.stdout)
    expect(Object.keys(result)).toEqual(['model', 'settings', 'steps', 'seconds', 'waiting', 'loss', 'validation'])
    expect(result).toMatchObject({ model, steps: 12, settings: { loss: 'cosineMarginTriplet', margin: 0.2, seed: 0 } })
    for (const evaluation of [result.validation.before, result.validation.after]) {
      expect(Object.keys(evaluation)).toEqual([
        'metric',
        'items',
        'queries',
        'precisionAt1',
        'recallAtK',
        'meanAveragePrecisionAtR',
        'rPrecision',
        'meanAveragePrecision',
        'meanReciprocalRank',
        'ndcgAtK',
      ])
    }
    expect(trained.stderr).toMatch(/step 12\/12, loss/)
    expect(trained.stderr).toMatch(/warning: .*6 classes.*32/)
  })

  test('leaves encoder.onnx, isometry.json and a line of history for each step', async () => {
    expect((await readdir(model)).sort()).toEqual(['config.json', 'encoder.onnx', 'history.jsonl', 'isometry.json'])
    const description = JSON.parse(await readFile(join(model, 'isometry.json'), 'utf8'))
    expect(description).toMatchObject({
      formatVersion: 1,
      metric: 'cosine',
      input: { kind: 'image', channels: 1, height: 12, width: 12, resize: 'stretch' },
      loss: { name: 'cosineMarginTriplet', margin: 0.2 },
      training: { steps: 12 },
    })
    expect(description.heldOut.classes).toHaveLength(2)
    expect(description.heldOut.items).toHaveLength(12)
    const history = (await readFile(join(model, 'history.jsonl'), 'utf8')).trim().split('\n')
    expect(history.map((line) => JSON.parse(line).step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    expect(JSON.parse(history[0]!)).toMatchObject({ loss: expect.any(Number), positiveDistance: expect.any(Number) })
  })

  test('the same command gives the same bytes', async () => {
    const again = await isometry(['train', data, '--out', at('again'), ...quick, '--augment', '--json'])
    const once = await isometry(['train', data, '--out', at('once'), ...quick, '--augment', '--json'])
    expect([again.code, once.code]).toEqual([0, 0])
    const bytes = await readFile(at('again', 'encoder.onnx'))
    expect(bytes.equals(await readFile(at('once', 'encoder.onnx')))).toBe(true)
    const other = await isometry(['train', data, '--out', at('other'), ...quick, '--augment', '--seed', '1'])
    expect(other.code).toBe(0)
    expect(bytes.equals(await readFile(at('other', 'encoder.onnx')))).toBe(false)
  })

  test('takes metrics, losses, miners, encoders, optimisers and schedules that fit together', async () => {
    for (const [i, flags] of [
      ['--metric', 'euclidean', '--loss', 'triplet', '--mining', 'batchHard', '--encoder', 'mlp', '--margin', '1'],
      ['--metric', 'squaredEuclidean', '--loss', 'triplet', '--hold-out-classes', '0'],
      ['--mining', 'semiHard', '--optimizer', 'adamW', '--weight-decay', '0.1', '--schedule', 'oneCycle'],
      ['--optimizer', 'sgd', '--clip-norm', '0.5', '--schedule', 'cosine', '--learning-rate', '0.1'],
      ['--optimizer', 'amsgrad', '--schedule', 'linearWarmup'],
      ['--optimizer', 'rmsprop', '--schedule', 'stepwise'],
      ['--optimizer', 'adagrad'],
      ['--mining', 'batchHard', '--scale', '8', '--margin', '0.1', '--classes-per-batch', '3', '--per-class', '2'],
    ].entries()) {
      const result = await isometry([
        'train',
        data,
        '--out',
        at(`fits${i}`),
        ...quick,
        '--steps',
        '3',
        '--json',
        ...flags,
      ])
      expect(result.code, result.stderr).toBe(0)
      expect(JSON.parse(result.stdout).validation === null).toBe(flags.includes('--hold-out-classes'))
    }
  })

  test('--validation takes the place of holding out', async () => {
    const result = await isometry(['train', data, '--out', at('validated'), ...quick, '--validation', data, '--json'])
    expect(JSON.parse(result.stdout).validation.after.items).toBe(48)
    expect(result.stderr).toMatch(/training on 48 images of 8 classes/)
  })

  test('an --out that exists is refused without --force, and only a model is replaced with it', async () => {
    expectError(await isometry(['train', data, '--out', model, ...quick]), 1, /model exists.*--force/)
    expectError(
      await isometry(['train', data, '--out', data, '--force', ...quick]),
      1,
      /not a model, so it is not replaced/,
    )
    const forced = await isometry(['train', data, '--out', at('fits1'), '--force', ...quick, '--steps', '2'])
    expect(forced.code, forced.stderr).toBe(0)
    expect(await readFile(at('fits1', 'history.jsonl'), 'utf8')).toMatch(/^.*\n.*\n$/)
  })

  test('examples held out are compared with those trained on; batches are drawn and changed as they are told', async () => {
    const closed = ['--hold-out-examples', '0.3', '--class-weighting', 'squareRoot', '--super-classes', '1']
    const changes = ['--augmentations', 'affine,crop,light,erase,blur,flip']
    const result = await isometry(['train', data, '--out', at('closed'), ...quick, ...closed, ...changes, '--json'])
    expect(result.code, result.stderr).toBe(0)
    const { validation, settings } = JSON.parse(result.stdout)
    expect(validation.after).toMatchObject({ items: 16, queries: 16 })
    expect(settings.augmentations).toEqual(['affine', 'crop', 'light', 'erase', 'blur', 'flip'])
    const described = JSON.parse(await readFile(at('closed', 'isometry.json'), 'utf8'))
    expect(described.heldOut.items).toHaveLength(16)
    expect(described.training.settings.weighting).toBe('squareRoot')
    expect(described.training.settings.augmentation).toMatchObject({ flip: { horizontal: 0.5, vertical: 0 } })

    const train = (...more: string[]) => isometry(['train', data, '--out', at('never'), ...quick, ...more])
    expectError(await train('--augmentations', 'affine,twirl'), 2, /no augmentation twirl\. Choose among affine, crop,/)
    expectError(await train('--measure', 'precisionAt1'), 2, /measure goes by evaluations during training/)
    expectError(await train('--evaluate-every', '5', '--measure', 'accuracy'), 2, /no measure accuracy/)
    expectError(await train('--evaluate-every', '5', '--hold-out-classes', '0'), 2, /needs data to evaluate on/)
  })
})
