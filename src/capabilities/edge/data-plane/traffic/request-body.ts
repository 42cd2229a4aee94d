import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

/** What a body on its way to the origin is bounded by and whom it tells. */
export interface BodyParts {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly mostBytes: number
  readonly idleTimeoutMs: number
  /** Whether the client waits for `100 Continue` before it sends. */
  readonly expectsContinue: boolean
  readonly onBytes: (sizeBytes: number) => void
}

/** The body is larger than the route allows. */
export class BodyTooLarge extends Error {}

/** The client went away before its body was complete. */
export class BodyCutOff extends Error {}

/** The body of a request as the origin's client reads it: with back-pressure, bounded, never taken for complete when it is not. */
export class RequestBody extends Readable {
  /** Whether any of it was asked for. */
  isTaken = false
  readonly #parts: BodyParts
  #sizeBytes = 0

  constructor(parts: BodyParts) {
    super({ highWaterMark: 65_536 })
    this.#parts = parts
    // Its end is the exchange's business; without a listener an error would end the thread.
    this.on('error', () => undefined)
  }

  override _read(): void {
    const { request } = this.#parts
    if (!this.isTaken) this.#begin()
    request.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { request } = this.#parts
    request.off('data', this.#take)
    request.off('end', this.#finish)
    request.off('close', this.#cut)
    request.socket.setTimeout(0)
    done(error)
  }

  #begin(): void {
    const { request, response, expectsContinue, idleTimeoutMs } = this.#parts
    this.isTaken = true
    request.on('data', this.#take)
    request.on('end', this.#finish)
    request.on('close', this.#cut)
    if (request.destroyed && !request.complete) return this.#cut()
    request.socket.setTimeout(idleTimeoutMs)
    if (expectsContinue && !response.headersSent) response.writeContinue()
  }

  readonly #take = (chunk: Buffer): void => {
    const { request, mostBytes, onBytes } = this.#parts
    this.#sizeBytes += chunk.length
    onBytes(chunk.length)
    if (this.#sizeBytes > mostBytes) {
      request.pause()
      this.destroy(new BodyTooLarge('the body is too large'))
    } else if (!this.push(chunk)) request.pause()
  }

  readonly #finish = (): void => {
    this.#parts.request.socket.setTimeout(0)
    this.push(null)
  }

  readonly #cut = (): void => {
    if (!this.#parts.request.complete) this.destroy(new BodyCutOff('the client went away'))
  }
}
