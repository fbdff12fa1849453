/** The `Event` message of TensorFlow's event.proto and summary.proto, as far as scalars need it. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export interface EventMessage {
  /** Seconds since 1970. */
  readonly wallTime: number
  readonly step?: number
  /** Of the first event of a file. */
  readonly fileVersion?: string
  /** Training begins, or goes on, here: what files hold of this step and later ones is void. */
  readonly begins?: boolean
  readonly scalars?: Readonly<Record<string, number>>
}

const START = 1

export function encodeEvent({ wallTime, step, fileVersion, begins, scalars }: EventMessage): Uint8Array {
  const event = new BinaryWriter()
  event.tag(1, WireType.Bit64).double(wallTime)
  if (step !== undefined) event.tag(2, WireType.Varint).int64(step)
  if (fileVersion !== undefined) event.tag(3, WireType.LengthDelimited).string(fileVersion)
  if (scalars) {
    event.tag(5, WireType.LengthDelimited).fork()
    for (const [tag, value] of Object.entries(scalars)) {
      event.tag(1, WireType.LengthDelimited).fork()
      event.tag(1, WireType.LengthDelimited).string(tag)
      event.tag(2, WireType.Bit32).float(value)
      event.join()
    }
    event.join()
  }
  if (begins) event.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(START).join()
  return event.finish()
}
