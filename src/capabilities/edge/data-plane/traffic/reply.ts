import type { ServerResponse } from 'node:http'

/** Status, reason and fields of an answer. */
export interface ReplyHead {
  readonly status: number
  readonly reason: string
  /** Name, value, name, value ...; without framing. */
  readonly fields: string[]
  /** As the origin gave it; empty: none. */
  readonly contentLength: string
}

/** Bodies up to here leave with their head in one write, if the origin sent them with its head. */
const mostHeldBytes = 16_384
/** Statuses whose answers never have a body (RFC 9110, 6.4.1). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/** An answer on its way to the client. What the origin sends in one piece leaves in one piece; nothing is held longer. */
export class Reply {
  readonly #response: ServerResponse
  readonly #isHead: boolean
  /** What has come but not left; only within one turn of the event loop. */
  #held: ReplyHead | null = null
  #chunk: Buffer | null = null

  constructor(response: ServerResponse) {
    this.#response = response
    this.#isHead = response.req.method === 'HEAD'
  }

  /** Takes the head. It leaves with the body or, if none comes at once, on its own. */
  begin(head: ReplyHead): void {
    this.#held = head
    process.nextTick(this.#flush)
  }

  /** Takes a part of the body; false: the client does not read as fast, wait for `drain` of the response. */
  write(chunk: Buffer): boolean {
    if (this.#held !== null && this.#chunk === null && chunk.length <= mostHeldBytes) {
      this.#chunk = chunk
      return true
    }
    this.#flush()
    return this.#response.write(chunk)
  }

  /** The answer is complete. */
  end(): void {
    const [head, chunk] = [this.#held, this.#chunk]
    if (head === null) return void this.#response.end()
    this.#held = null
    this.#chunk = null
    this.#writeHead(head, this.#lengthOf(head, chunk))
    // As one text with the head it is one write; as bytes it would be two. latin1 changes no byte.
    if (chunk === null) this.#response.end()
    else this.#response.end(chunk.toString('latin1'), 'latin1')
  }

  /** The length is known when all of it is here, even if the origin did not say. */
  #lengthOf({ contentLength, status }: ReplyHead, chunk: Buffer | null): string {
    if (contentLength !== '' || this.#isHead || bodiless.has(status)) return contentLength
    return String(chunk?.length ?? 0)
  }

  #writeHead({ status, reason, fields }: ReplyHead, contentLength: string): void {
    if (contentLength !== '' && status !== 204) fields.push('content-length', contentLength)
    this.#response.writeHead(status, reason, fields)
  }

  readonly #flush = (): void => {
    const [head, chunk] = [this.#held, this.#chunk]
    if (head === null) return
    this.#held = null
    this.#chunk = null
    if (this.#response.destroyed) return
    this.#writeHead(head, head.contentLength)
    if (chunk === null) this.#response.flushHeaders()
    else this.#response.write(chunk)
  }
}
