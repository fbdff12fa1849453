/** Whether WebGPU can be tested here: on a graphics card, or with Chromium's driver in software. */
import { existsSync } from 'node:fs'
import { resolveDevice } from '../src/device.ts'

/** Where Debian's chromium has a Vulkan driver in software. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'

/**
 * Why WebGPU cannot be tested; undefined if it can. Nothing but an adapter that is missing counts: whatever else keeps the
 * device from being used is an error, not a reason to skip its tests.
 */
export async function missingAdapter(): Promise<string | undefined> {
  if (!process.env.VK_ICD_FILENAMES && existsSync(SOFTWARE)) process.env.VK_ICD_FILENAMES = SOFTWARE
  try {
    await resolveDevice('webgpu')
    return undefined
  } catch (error) {
    const { message } = error as Error
    if (!message.includes('Failed to get a WebGPU adapter')) throw error
    console.log(`WebGPU is not tested: ${message} (Debian: apt-get install libvulkan1 chromium.)`)
    return message
  }
}
