/** What ONNX Runtime is really asked for: its own function, which still makes the sessions, with an eye on it. */
import { InferenceSession } from 'onnxruntime-node'

export interface Opened {
  readonly options: InferenceSession.SessionOptions
  released: boolean
}

/** Does the work, which is given all sessions that it has opened so far, in their order. */
export async function watchSessions(work: (opened: readonly Opened[]) => Promise<void>): Promise<void> {
  const { create } = InferenceSession
  const opened: Opened[] = []
  const watched = async (model: Uint8Array, options: InferenceSession.SessionOptions) => {
    const session = await create.call(InferenceSession, model, options)
    const release = session.release.bind(session)
    const each: Opened = { options, released: false }
    opened.push(each)
    session.release = async () => {
      await release()
      each.released = true
    }
    return session
  }
  InferenceSession.create = watched as typeof create
  try {
    await work(opened)
  } finally {
    InferenceSession.create = create
  }
}
