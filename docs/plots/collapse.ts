/** Three runs of training, one of which collapses. */
import { join } from 'node:path'
import { renderImages } from '../../demo/src/render.ts'
import { openImageFolder } from '../../src/data/index.ts'
import { convolutional } from '../../src/encoders/index.ts'
import { type Loss, triplet } from '../../src/losses/index.ts'
import { batchHard } from '../../src/mining/index.ts'
import { type StepRecord, train } from '../../src/training/index.ts'
import { colors, draw } from './chart.ts'

export async function collapse() {
  const images = join(import.meta.dirname, '..', '..', 'demo', 'images')
  await renderImages(images)
  const form = { kind: 'image', channels: 1, height: 28, width: 28, resize: 'stretch' } as const
  const letters = await openImageFolder(join(images, 'by-character', 'train'), { input: form, warn() {} })
  const steps = 150
  const run = async (loss: Loss, onCollapse: 'warn' | 'recover' = 'warn') => {
    const history: StepRecord[] = []
    const model = await train(letters, {
      encoder: convolutional({ input: form, dimension: 64 }),
      loss,
      onCollapse,
      steps,
      warn() {},
      onStep: (record) => history.push(record),
    })
    await model.release()
    return history
  }
  const runs = [
    { name: 'batchHard', color: colors.orange, history: await run(triplet({ mining: batchHard() })) },
    {
      name: 'batchHard, recover',
      color: colors.green,
      history: await run(triplet({ mining: batchHard() }), 'recover'),
    },
    { name: 'all triplets', color: colors.blue, history: await run(triplet()) },
  ]
  const x = { name: 'step', from: 0, to: steps, every: 50 }
  const lines = (of: (record: StepRecord) => number) =>
    runs.map(({ name, color, history }) => ({
      name,
      color,
      points: history.map((each) => [each.step, of(each)] as const),
    }))
  await draw('collapse', [
    {
      title: 'The loss stays at the margin …',
      x,
      y: { name: 'loss', from: 0, to: 0.4, every: 0.1 },
      lines: lines(({ loss }) => loss),
    },
    {
      title: '… because everything is one point',
      x,
      y: { name: 'mean distance of two embeddings', from: 0, to: 1, every: 0.25 },
      lines: lines(({ spread }) => spread),
    },
  ])
}
