/** A real server on a small model, and what is sent to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { expect } from 'vitest'
import { executable } from './command.ts'
import { isometry } from './in-process.ts'

export interface Running {
  readonly child: ChildProcess
  readonly address: string
  /** Its exit code. */
  readonly ended: Promise<number | null>
  readonly stderr: () => string
}

/** Starts `isometry serve` with these arguments, at a port that is free. */
export async function start(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [executable, 'serve', ...args, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr!.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const address = await new Promise<string>((resolve, reject) => {
    let stdout = ''
    child.stdout!.on('data', (chunk) => {
      stdout += chunk
      const found = /http:\S+/.exec(stdout)
      if (found) resolve(found[0])
    })
    void ended.then(() => reject(new Error(stderr)))
  })
  return { child, address, ended, stderr: () => stderr }
}

export interface Body {
  readonly error: string
  readonly embedding: readonly number[]
  readonly matches: readonly { readonly distance: number }[]
  readonly waiting: number
}

export const png = { 'content-type': 'image/png' }

/** Asks a server, and reads its answer as JSON. */
export async function ask(server: Running, path: string, options: RequestInit = {}) {
  const response = await fetch(new URL(path, server.address), options)
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
}

/** Serves the images of a folder, indexed and calibrated, within limits that are soon reached. */
export async function startWith(model: string, data: string, index: string): Promise<Running> {
  for (const args of [
    ['index', model, data, '--out', index],
    ['calibrate', model, data, '--false-positive-rate', '0.05'],
  ]) {
    const { code, stderr } = await isometry(args)
    expect(code, stderr).toBe(0)
  }
  return start(model, '--index', index, '--queue', '8', '--max-body', '1')
}
