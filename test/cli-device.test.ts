/** `--device`: the one that is told computes, or the command says why not; and `--debug` lists what it left to the CPU. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { resolveDevice } from '../src/device.ts'
import { missingAdapter } from './adapter.ts'
import { isometry as asProcess } from './command.ts'
import { expectError, fixture } from './fixture.ts'
import { isometry } from './in-process.ts'
import { expectClose } from './tolerance.ts'

interface Found {
  readonly matches: readonly { readonly item: string; readonly distance: number }[]
}

/** The nodes of one operator in the list, which names the first three of them, as operator and number. */
function namesIn(line: string): string[] {
  const [, operator, count, names] = /^ {2}(\w+) × (\d+): (.+?)(?:, and \d+ more)?$/.exec(line) ?? []
  const found = names?.split(', ') ?? []
  expect(found, line).toHaveLength(Math.min(3, Number(count)))
  for (const name of found) expect(name).toMatch(new RegExp(`^${operator}_\\d+$`))
  return Array.from({ length: Number(count) }, (_, i) => found[i] ?? 'more')
}

let { at, data, model, dispose } = {} as Awaited<ReturnType<typeof fixture>>
let missing: string | undefined
let cuda: boolean
/** A search, and each other command that computes. */
let search: string[]
let commands: string[][]
beforeAll(async () => {
  missing = await missingAdapter()
  cuda = await resolveDevice('cuda').then(
    () => true,
    () => false,
  )
  ;({ at, data, model, dispose } = await fixture())
  const image = join(data, 'a', '0.png')
  search = ['search', model, image, '--gallery', data]
  commands = [
    search,
    ['train', data, '--out', at('never')],
    ['evaluate', model, data],
    ['calibrate', model, data, '--false-positive-rate', '0.1'],
    ['compare', model, image, image],
    ['report', model, data, '--out', at('never.html')],
    ['embed', model, data, '--out', at('never.safetensors')],
    ['index', model, data, '--out', at('never')],
    ['index', 'add', at('never'), model, data],
    ['serve', model, '--gallery', data, '--port', '0'],
  ]
})
afterEach(() => {
  vi.unstubAllEnvs()
})
afterAll(() => dispose())

test('the CPU computes where it is told to, as where nothing is said, and leaves nothing to list', async () => {
  const plain = await isometry([...search, '--json'])
  expect(plain).toMatchObject({ code: 0, stderr: '' })
  expect(await isometry([...search, '--json', '--device', 'cpu', '--debug'])).toEqual(plain)
})

test('without CUDA commands say which devices there are, and how CUDA is had', async ({ skip }) => {
  if (cuda) skip('Here CUDA is there.')
  const others = missing ? 'cpu' : 'cpu and webgpu'
  const how = 'Its libraries are installed by `npm install onnxruntime-node --onnxruntime-node-install=cuda12`, beside'
  // The server's model is opened by a thread of its own, whose errors are all told with the exit code 1.
  for (const command of commands.filter(([name]) => name !== 'serve')) {
    const outcome = await isometry([...command, '--device', 'cuda'])
    expectError(outcome, 2, /^isometry: The device cuda cannot be used here; there is .* The runtime says: /)
    expect(outcome.stderr, command[0]!).toContain(`here; there is ${others}. ${how}`)
  }
})

test('a name that no device has is refused by every command, with those that there are', async () => {
  for (const command of commands) {
    for (const name of ['gpu', 'CPU', '']) {
      const message = `argument '${name}' is invalid. Allowed choices are cpu, webgpu, cuda, auto.`
      expectError(await isometry([...command, '--device', name]), 2, /^isometry: option '--device <NAME>' /)
      expect((await isometry([...command, '--device', name])).stderr).toContain(message)
    }
    expectError(await isometry([...command, '--device']), 2, /option '--device <NAME>' argument missing/)
  }
})

test('WebGPU finds what the CPU finds, and --debug lists what it left to the CPU', async ({ skip }) => {
  if (missing) skip(missing)
  await mkdir(at('tmp'))
  vi.stubEnv('TMPDIR', at('tmp'))
  const args = [...search, '--json', '-k', '3']
  const expected = await isometry(args)
  // A process of its own: the driver has to let it end, too.
  const [silent, told] = [
    await asProcess([...args, '--device', 'webgpu']),
    await asProcess([...args, '--device', 'webgpu', '--debug']),
  ]
  const matches = ({ stdout }: typeof told) => (JSON.parse(stdout) as [Found])[0].matches
  for (const outcome of [silent, told]) {
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(matches(outcome).map(({ item }) => item)).toEqual(matches(expected).map(({ item }) => item))
    const distances = (of: typeof told) => matches(of).map(({ distance }) => distance)
    expectClose(distances(outcome), distances(expected), 'distances', 1e-3, 1e-4)
  }
  expect(silent.stderr).not.toContain('on the CPU')
  // The driver may say something besides.
  const [, total, list] = /^computed on the CPU instead: (\d+) nodes\n((?: {2}.+\n)+)/m.exec(told.stderr) ?? []
  expect(list, told.stderr).toBeDefined()
  const nodes = list!.trimEnd().split('\n').flatMap(namesIn)
  expect(nodes).toHaveLength(Number(total))
  // The runtime writes a profile to learn this, which nobody has asked for.
  expect((await readdir(at('tmp'))).filter((name) => name.startsWith('isometry'))).toEqual([])
})
