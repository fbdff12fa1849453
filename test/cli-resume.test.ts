/** Training that is killed, interrupted, damaged, and goes on: `isometry train --resume`. */
import { spawn } from 'node:child_process'
import { cp, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { random } from '../src/random.ts'
import { isometry } from './command.ts'
import { expectError } from './fixture.ts'
import { temporaryFolder, writeImages } from './images.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
  await writeImages(at('data'), ['a', 'b', 'c', 'd', 'e'], 5)
})
afterAll(() => folder.dispose())

const executable = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js')
const small = [
  '--encoder',
  'mlp',
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

/** Kills the process after so many milliseconds; whether it was still there. */
async function killed(args: readonly string[], after: number): Promise<boolean> {
  const child = spawn(process.execPath, [executable, ...args], { stdio: 'ignore' })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)))
  await Promise.race([ended, setTimeout(after)])
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

test('killed at 25 random moments and resumed, it ends in the very bytes of one never killed', async () => {
  const steps = 1500
  // A memory, class weights, mining that draws and an augmentation: all that is carried has to come back.
  const more = ['--loss', 'triplet', '--mining', 'distanceWeighted', '--memory', '24', '--optimizer', 'adamW']
  const whole = await isometry(begin('whole', steps, more))
  expect(whole.code, whole.stderr).toBe(0)

  const { uniform } = random(Number(process.hrtime.bigint() % 1_000_000n), 'kills')
  let kills = 0
  const args = begin('cut', steps, [...more, '--checkpoint-every', '2'])
  // The first is killed once it has begun, so that there is something to resume.
  if (await killed(args, 900)) kills++
  while (kills < 25) {
    expect(await killed(['train', '--resume', at('cut')], uniform(350, 800)), `it ended after ${kills} kills`).toBe(
      true,
    )
    kills++
  }
  const last = await isometry(['train', '--resume', at('cut')])
  expect(last.code, last.stderr).toBe(0)
  expect(await bytes('cut')).toEqual(await bytes('whole'))
  const lines = (out: string) => readFile(at(out, 'history.jsonl'), 'utf8')
  expect(await lines('cut')).toBe(await lines('whole'))
  expect((await readdir(folder.path)).filter((name) => name.startsWith('cut'))).toEqual(['cut'])
})

test('Ctrl-C finishes the step, keeps it and says how to go on', async () => {
  let sent = false
  const stopped = await isometry(begin('stopped', 1200), (stderr, kill) => {
    if (!sent && /step|training on/.test(stderr)) {
      sent = true
      void setTimeout(300).then(() => kill('SIGINT'))
    }
  })
  expectError({ ...stopped, stdout: '' }, 130, /stopped after step \d+ of 1200\. It goes on .* --resume .*stopped$/)
  expectError(await isometry(begin('stopped', 1200)), 1, /holds a training that was not finished\. Go on with --resume/)
  const resumed = await isometry(['train', '--resume', at('stopped'), '--json'])
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(JSON.parse(resumed.stdout)).toMatchObject({ steps: 1200 })
  const whole = await isometry(begin('unstopped', 1200))
  expect(whole.code).toBe(0)
  expect(await bytes('stopped')).toEqual(await bytes('unstopped'))
})

test('Ctrl-C twice ends it at once', async () => {
  const slow = ['--classes-per-batch', '5', '--per-class', '40', '--image-size', '48', '--hold-out-classes', '0']
  let sent = false
  const args = ['train', at('data'), '--out', at('twice'), ...slow]
  const { code, stderr } = await isometry(args, (text, kill) => {
    if (sent || !text.includes('training on')) return
    sent = true
    void setTimeout(500).then(() => kill('SIGINT'))
    void setTimeout(550).then(() => kill('SIGINT'))
  })
  expect(code).toBe(130)
  expect(stderr).not.toMatch(/stopped after/)
})

test('a truncated checkpoint is said, and the one before it is taken', async () => {
  await killed(begin('torn', 20_000, ['--checkpoint-every', '5']), 1500)
  const kept = at('torn.training')
  expect((await readdir(kept)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(2)
  await cp(kept, at('both.training'), { recursive: true })
  await cp(kept, at('other.training'), { recursive: true })

  await truncate(join(kept, 'checkpoint.safetensors'), 1000)
  const warned = await isometry(['train', '--resume', at('torn')], (stderr, kill) => {
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
  const args = begin('there', 400)
  expect((await isometry(args)).code).toBe(0)
  const whole = await bytes('there')
  expect(await killed([...args, '--force', '--checkpoint-every', '5'], 1200)).toBe(true)
  expect((await isometry(['train', '--resume', at('there')])).code).toBe(0)
  expect(await bytes('there')).toEqual(whole)

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
