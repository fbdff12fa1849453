/** Which devices there are, and which of them to take. */
import { UsageError } from '../errors.ts'
import { open } from './node.ts'
import { type Device, devices } from './session.ts'

/** What to do about a device that is not there. */
const remedies: Readonly<Record<Device, string>> = {
  cpu: 'Install onnxruntime-node again.',
  webgpu: 'It needs a graphics driver (on Linux a Vulkan one, with libvulkan1).',
  cuda: 'Its libraries are installed by `npm install onnxruntime-node --onnxruntime-node-install=cuda12`, beside CUDA 12 and cuDNN 9.',
}

/** A graph to try a device with, by the bytes of its model, and what it is fed. */
export interface Trial {
  readonly model: Uint8Array
  readonly feeds: Parameters<Awaited<ReturnType<typeof open>>['run']>[0]
}

/** How often a device computes the trial before the time that counts. */
const WARM_UP = 2
/** Milliseconds by which a device is known to be slow, warm or not. */
const SLOW = 1000

/** The milliseconds that a device takes for the trial; why it cannot, where it cannot. */
async function tried(device: Device, { model, feeds }: Trial): Promise<number | Error> {
  try {
    const program = await open(model, { device })
    try {
      for (let run = 0; ; run++) {
        const start = performance.now()
        await program.run(feeds)
        const took = performance.now() - start
        if (run === WARM_UP || took > SLOW) return took
      }
    } finally {
      await program.release()
    }
  } catch (error) {
    return error as Error
  }
}

/**
 * The device itself if it can be used; for `auto` the fastest at the trial, so that a graphics driver in software is not
 * taken for a graphics card.
 *
 * @throws UsageError that says which devices there are, if this one is not.
 */
export async function chooseDevice(device: Device | 'auto', trial: Trial): Promise<Device> {
  if (device === 'cpu') return device
  const chosen = device === 'auto' ? undefined : await tried(device, trial)
  if (typeof chosen === 'number') return device as Device
  const times: [Device, number][] = []
  for (const each of devices.filter((other) => other !== device)) {
    const found = await tried(each, trial)
    if (typeof found === 'number') times.push([each, found])
  }
  const [fastest = 'cpu'] = times.sort((a, b) => a[1] - b[1])[0] ?? []
  if (device === 'auto') return fastest
  const available = times.map(([each]) => each).join(' and ')
  throw new UsageError(
    `The device ${device} cannot be used here; there is ${available}. ${remedies[device]} The runtime says: ${chosen!.message}`,
  )
}
