/** Training that is killed, interrupted, damaged, and goes on: `isometry train --resume`. */
import { spawn, spawnSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { random } from '../src/random.ts'
import { writeSafetensors } from '../src/weights/safetensors.ts'
import { isometry as asProcess, executable } from './command.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'
import { isometry } from './in-process.ts'
import { expectSameBytes } from './tolerance.ts'

// Many processes one after the other, on machines that may be busy.
vi.setConfig({ testTimeout: 500_000 })

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(at('data'), ['a', 'b', 'c', 'd', 'e'], 5)
})
afterAll(() => folder.dispose())

const small = [
  '--encoder',
  'convolutional',
  '--dimension',
  '8',
  '--image-size',
  '8',
  '--grayscale',
  '--threads',
  '1',
  '--augment',
]
const few = ['--classes-per-batch', '4', '--per-class', '2', '--hold-out-classes', '0']
const begin = (out: string, steps: number, more: readonly string[] = []) => [
  ...['train', at('data'), '--out', at(out), ...small, ...few, '--steps', String(steps), ...more],
]
const bytes = (out: string) => readFile(at(out, 'encoder.onnx'))

/** Kills the process once `when` is over; whether it was still there. */
async function killed(args: readonly string[], when: (ended: AbortSignal) => Promise<unknown>): Promise<boolean> {
  const child = spawn(process.execPath, [executable, ...args], { stdio: 'ignore' })
  const over = new AbortController()
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_, signal) => {
      over.abort()
      resolve(signal)
    }),
  )
  await Promise.race([ended, when(over.signal)])
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

/** Until a file is there, or is there anew, so many times. */
async function written(file: string, times: number, ended: AbortSignal): Promise<void> {
  const change = () =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    )
  let last = await change()
  for (let seen = 0; seen < times && !ended.aborted; await setTimeout(2)) {
    const now = await change()
    if (now > last) seen++
    last = Math.max(last, now)
  }
}

test('killed at 25 random moments and resumed, it ends in the very bytes of one never killed', async () => {
  // A memory, class weights, mining that draws and an augmentation: all that is carried has to come back.
  const more = ['--loss', 'triplet', '--mining', 'distanceWeighted', '--memory', '24', '--optimizer', 'adamW']
  const whole = await isometry(begin('whole', 800, more))
  expect(whole.code, whole.stderr).toBe(0)

  const { integer, uniform } = random(6, 'kills')
  const [last, partial] = ['safetensors', 'safetensors.partial'].map((end) => at('cut.training', `checkpoint.${end}`))
  const moments = [
    // While it starts, reads what was kept, compiles, or takes its first steps.
    () => setTimeout(uniform(0, 700)),
    // Among its steps.
    (ended: AbortSignal) => written(last!, 1 + integer(8), ended).then(() => setTimeout(uniform(0, 20))),
    // While a checkpoint is written.
    (ended: AbortSignal) => written(partial!, 1 + integer(8), ended),
  ]
  const args = begin('cut', 800, [...more, '--checkpoint-every', '2'])
  // The first is killed once there is something to resume.
  expect(await killed(args, (ended) => written(at('cut.training', 'config.json'), 1, ended))).toBe(true)
  for (let kills = 1; kills < 27; kills++) {
    const isThere = await killed(['train', '--resume', at('cut')], moments[kills % moments.length]!)
    expect(isThere, `it ended after ${kills} kills`).toBe(true)
  }
  const resumed = await isometry(['train', '--resume', at('cut')])
  expect(resumed.code, resumed.stderr).toBe(0)
  expectSameBytes(await bytes('cut'), await bytes('whole'))
  const lines = (out: string) => readFile(at(out, 'history.jsonl'), 'utf8')
  expect(await lines('cut')).toBe(await lines('whole'))
  expect((await readdir(folder.path)).filter((name) => name.startsWith('cut'))).toEqual(['cut'])
})

test('on a full disk training goes on with a warning, and what was kept is finished once there is room', async () => {
  const labels = JSON.stringify(Array.from({ length: 30 }, (_, row) => `class ${row % 5}`))
  const numbers = Float32Array.from({ length: 120 }, (_, i) => (i % 4 === 0 ? (i / 4) % 5 : Math.sin(i * i)))
  const embeddings = { dtype: 'float32', shape: [30, 4], data: numbers } as const
  await writeFile(at('vectors.safetensors'), writeSafetensors({ tensors: { embeddings }, metadata: { labels } }))
  const args = (out: string) => [
    ...['train', at('vectors.safetensors'), '--out', at(out), '--steps', '150', '--checkpoint-every', '20'],
    ...['--threads', '1', ...few, '--tensorboard', at(`${out} curves`)],
  ]
  const whole = await isometry(args('roomy'))
  expect(whole.code, whole.stderr).toBe(0)

  // No file may be larger than 16 KiB: the first checkpoints are smaller, curves and history soon are not.
  const limited = ['-c', 'ulimit -f 32 && exec "$@"', 'sh', process.execPath, executable, ...args('narrow')]
  const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8' })
  expect(stderr).toMatch(/warning: The checkpoint cannot be written to .*EFBIG.*The one before it is kept; make room\./)
  expect(
    stderr.match(/warning: TensorBoard's events cannot be .*EFBIG.*Training goes on without them\./g),
  ).toHaveLength(1)
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^isometry: A model cannot be written to .*EFBIG/)
  expect(status).toBe(1)
  const resumed = await isometry(['train', '--resume', at('narrow')])
  expect(resumed.code, resumed.stderr).toBe(0)
  expectSameBytes(await bytes('narrow'), await bytes('roomy'))
})

test('what one training keeps is left alone by another that is refused', async () => {
  const config = at('first.training', 'config.json')
  await mkdir(at('first.training'))
  await writeFile(config, '{}')
  expectError(await isometry(begin('first', 3)), 1, /holds a training that was not finished/)
  expect(await readFile(config, 'utf8')).toBe('{}')
})

test('Ctrl-C finishes the step, keeps it and says how to go on', async () => {
  let sent = false
  // After a tenth of the steps the first of them is told.
  const stopped = await asProcess(begin('stopped', 300), (stderr, kill) => {
    if (!sent && /^step /m.test(stderr)) {
      sent = true
      kill('SIGINT')
    }
  })
  expectError({ ...stopped, stdout: '' }, 130, /stopped after step \d+ of 300\. It goes on .* --resume .*stopped$/)
  expectError(await isometry(begin('stopped', 300)), 1, /holds a training that was not finished\. Go on with --resume/)
  const resumed = await isometry(['train', '--resume', at('stopped'), '--json'])
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(JSON.parse(resumed.stdout)).toMatchObject({ steps: 300 })
  const whole = await isometry(begin('unstopped', 300))
  expect(whole.code).toBe(0)
  expectSameBytes(await bytes('stopped'), await bytes('unstopped'))
})

test('Ctrl-C twice ends it at once', async () => {
  const slow = ['--classes-per-batch', '5', '--per-class', '40', '--image-size', '48', '--hold-out-classes', '0']
  let sent = false
  const args = ['train', at('data'), '--out', at('twice'), ...slow]
  const { code, stderr } = await asProcess(args, (text, kill) => {
    if (sent || !text.includes('training on')) return
    sent = true
    void setTimeout(500).then(() => kill('SIGINT'))
    void setTimeout(550).then(() => kill('SIGINT'))
  })
  expect(code).toBe(130)
  expect(stderr).not.toMatch(/stopped after/)
})

test('a truncated checkpoint is said, and the one before it is taken', async () => {
  const kept = at('torn.training')
  const twice = (ended: AbortSignal) => written(join(kept, 'previous.safetensors'), 1, ended)
  expect(await killed(begin('torn', 20_000, ['--checkpoint-every', '5']), twice)).toBe(true)
  // Between two renamings the last has no name yet.
  await cp(join(kept, 'previous.safetensors'), join(kept, 'checkpoint.safetensors'), { force: false })
  expect((await readdir(kept)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(2)
  await cp(kept, at('both.training'), { recursive: true })
  await cp(kept, at('other.training'), { recursive: true })

  await truncate(join(kept, 'checkpoint.safetensors'), 1000)
  const warned = await asProcess(['train', '--resume', at('torn')], (stderr, kill) => {
    if (stderr.includes('damaged')) void setTimeout(300).then(() => kill('SIGKILL'))
  })
  expect(warned.stderr).toMatch(/checkpoint\.safetensors is damaged: .*\. Going on from the checkpoint before it\./)

  for (const name of ['checkpoint', 'previous']) await truncate(at('both.training', `${name}.safetensors`), 100)
  expectError(await isometry(['train', '--resume', at('both')]), 1, /damaged.*no whole checkpoint/)

  const settings = JSON.parse(await readFile(at('other.training', 'config.json'), 'utf8'))
  for (const [change, message] of [
    [{ seed: 3 }, /belongs to another training: its seed is 0, here it is 3/],
    [{ threads: 2 }, /its threads is 1, here it is 2/],
    [{ loss: 'triplet', lossSettings: {} }, /belongs to another training: its loss is/],
  ] as const) {
    await writeFile(at('other.training', 'config.json'), JSON.stringify({ ...settings, ...change }))
    expectError(await isometry(['train', '--resume', at('other')]), 1, message)
  }
  await writeFile(at('other.training', 'config.json'), JSON.stringify(settings))
  await writeImages(at('data'), ['f'], 5)
  expectError(await isometry(['train', '--resume', at('other')]), 1, /its data is/)
})

test('a model that is there is replaced where that was asked for, or where it is the very one', async () => {
  const args = begin('there', 150)
  expect((await isometry(args)).code).toBe(0)
  const whole = await bytes('there')
  const kept = at('there.training', 'checkpoint.safetensors')
  const forced = [...args, '--force', '--checkpoint-every', '20']
  expect(await killed(forced, (ended) => written(kept, 1, ended))).toBe(true)
  expect((await isometry(['train', '--resume', at('there')])).code).toBe(0)
  expectSameBytes(await bytes('there'), whole)

  // As if it had been killed after the model was written, and before its checkpoints were cleared away.
  await cp(at('stopped', 'config.json'), at('stopped.training', 'config.json'))
  expect((await isometry(['train', '--resume', at('stopped')])).code).toBe(0)
  await cp(at('there', 'config.json'), at('stopped.training', 'config.json'))
  expectError(await isometry(['train', '--resume', at('stopped')]), 1, /stopped exists\. .*--force/)
})

test('what cannot be resumed is said', async () => {
  expectError(
    await isometry(['train', '--resume', at('nothing')]),
    1,
    /no training of .*nothing to go on with: .* is not there/,
  )
  expectError(await isometry(['train', '--resume', at('x'), '--seed', '2']), 2, /goes on with .* found --seed/)
  expectError(await isometry(['train', at('data'), '--resume', at('x')]), 2, /found .*data\. Leave it out/)
  expectError(await isometry(['train', '--out', at('x')]), 2, /nothing to train on/)
  expectError(await isometry(['train', at('data')]), 2, /--out <MODEL> is missing/)
})
