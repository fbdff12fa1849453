/** What a client got wrong, or has to wait for. */
import type { OutgoingHttpHeaders } from 'node:http'
import { IsometryError } from '../errors.ts'

export class HttpError extends IsometryError {
  readonly status: number
  readonly headers: OutgoingHttpHeaders

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}
