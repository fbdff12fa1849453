/** Which nodes of a session a device left to the CPU, from the runtime's own profile of one run. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-common'
import type { FallbackNode } from './session.ts'

let profiles = 0

/** Where the runtime may write a profile; it adds an ending of its own. */
export function profilePrefix(): string {
  return join(tmpdir(), `isometry-profile-${process.pid}-${profiles++}-`)
}

/** The session, which after its first run tells what was computed on the CPU. `prefix` is where it writes its profile. */
export function reporting(
  session: InferenceSession,
  prefix: string,
  onFallback: (nodes: readonly FallbackNode[]) => void,
): InferenceSession {
  const run = session.run.bind(session)
  const release = session.release.bind(session)
  let told = false
  // The class has methods on its prototype and accessors, so only what is asked for here is changed.
  session.run = (async (feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType = {}) => {
    const results = await run(feeds, fetches)
    if (!told) {
      told = true
      session.endProfiling()
      onFallback(fallbackNodes(prefix))
    }
    return results
  }) as InferenceSession['run']
  session.release = async () => {
    if (!told) session.endProfiling()
    fallbackNodes(prefix)
    await release()
  }
  return session
}

/** One event of a profile, as far as it is read. */
interface Event {
  readonly cat?: string
  readonly name?: string
  readonly args?: { readonly provider?: string; readonly op_name?: string }
}

/** The nodes that the profile says ran on the CPU; the file is gone then. */
function fallbackNodes(prefix: string): FallbackNode[] {
  const name = readdirSync(dirname(prefix)).find((each) => each.startsWith(basename(prefix)))
  if (name === undefined) return []
  const file = join(dirname(prefix), name)
  const events = JSON.parse(readFileSync(file, 'utf8')) as Event[]
  rmSync(file)
  const nodes = events.filter(({ cat, args }) => cat === 'Node' && args?.provider === 'CPUExecutionProvider')
  const named = nodes.map(({ name = '', args }) => [name.replace(/_kernel_time$/, ''), args?.op_name ?? ''] as const)
  return [...new Map(named)].map(([name, operator]) => ({ name, operator }))
}
