/** The device to compute on, chosen by a product of two matrices: where graph/, onnx/ and runtime/ meet. */
import { toModel } from './graph/to-onnx.ts'
import { input } from './graph/value.ts'
import { writeModel } from './onnx/codec.ts'
import { chooseDevice } from './runtime/devices.ts'
import type { Device } from './runtime/session.ts'
import { allocate } from './tensor.ts'

/** Rows and columns: enough to see whether a device works; and so many that a graphics card is worth feeding. */
const [ENOUGH_TO_RUN, ENOUGH_TO_COMPARE] = [16, 1024]

/**
 * The device itself if it can be used here; for `auto` the one that multiplies matrices fastest.
 *
 * @throws UsageError that says which devices there are and how this one is had, if it is not there.
 */
export function resolveDevice(device: Device | 'auto'): Promise<Device> {
  const extent = device === 'auto' ? ENOUGH_TO_COMPARE : ENOUGH_TO_RUN
  const type = { dtype: 'float32', shape: [extent, extent] } as const
  const [a, b] = [input('a', type.dtype, type.shape), input('b', type.dtype, type.shape)]
  const feeds = { a: { ...type, data: allocate(type) }, b: { ...type, data: allocate(type) } }
  return chooseDevice(device, { model: writeModel(toModel({ largest: a.matmul(b).max() })), feeds })
}
