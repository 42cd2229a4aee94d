import type { Socket } from 'node:net'
import type { Clock } from '../../../../kernel/std/index.ts'
import { closeFrame, FrameReader } from './frames.ts'
import { MessageGate, type GateParts } from './message-gate.ts'

/** The two ends of a tunnel. */
export interface TunnelEnds {
  readonly client: Socket
  readonly origin: Socket
  readonly onBytesIn: (sizeBytes: number) => void
  readonly onBytesOut: (sizeBytes: number) => void
  /** What came behind the heads. */
  readonly rest: { readonly fromOrigin: Buffer; readonly fromClient: Buffer }
}

/** Passes bytes to and fro. */
export function relay({ client, origin, onBytesIn, onBytesOut, rest }: TunnelEnds): void {
  pipe(origin, client, onBytesOut)
  pipe(client, origin, onBytesIn)
  if (rest.fromOrigin.length > 0) client.write(rest.fromOrigin)
  if (rest.fromClient.length > 0) origin.write(rest.fromClient)
}

/** Passes bytes on with back-pressure; the end of one direction leaves the other open. */
function pipe(from: Socket, to: Socket, count: (sizeBytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length)
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.once('end', () => to.end())
}

/** Passes bytes to and fro and holds a client's messages to their limits. */
export function relayMessages(ends: TunnelEnds, parts: GateParts & { readonly clock: Clock }): void {
  new MessageRelay(ends, parts).begin()
}

/** How long in a row a client is not read from before its connection is closed. */
const patienceMs = 5000
/** A client that was told why has so long to close. */
const closingMs = 1000
/** 1008, a policy was violated (RFC 6455, 7.4.1). */
const policyViolated = 1008

class MessageRelay {
  readonly #ends: TunnelEnds
  readonly #clock: Clock
  readonly #gate: MessageGate
  /** Of what the origin sends, so that a close frame never lands within another one. */
  readonly #originFrames = new FrameReader()
  readonly #gone = new AbortController()
  #heldSinceMs: number | null = null
  #isHolding = false
  #hasEnded = false
  /** Why the connection is to be closed, once the origin's frame that is under way has ended; empty: it is not. */
  #reason = ''

  constructor(ends: TunnelEnds, parts: GateParts & { readonly clock: Clock }) {
    this.#ends = ends
    this.#clock = parts.clock
    this.#gate = new MessageGate(parts)
  }

  begin(): void {
    const { client, origin, rest, onBytesIn, onBytesOut } = this.#ends
    client.once('close', () => this.#gone.abort())
    client.on('data', (chunk: Buffer) => {
      onBytesIn(chunk.length)
      this.#fromClient(chunk, 0)
    })
    client.once('end', () => {
      this.#hasEnded = true
      if (!this.#isHolding) origin.end()
    })
    client.on('drain', () => origin.resume())
    origin.on('data', (chunk: Buffer) => {
      onBytesOut(chunk.length)
      this.#fromOrigin(chunk)
    })
    origin.on('drain', () => this.#resumeClient())
    origin.once('end', () => client.end())
    if (rest.fromOrigin.length > 0) this.#fromOrigin(rest.fromOrigin)
    if (rest.fromClient.length > 0) this.#fromClient(rest.fromClient, 0)
  }

  #resumeClient(): void {
    if (!this.#isHolding) this.#ends.client.resume()
  }

  /** What a limit holds back stays here, and the client is not read from: at most one chunk waits. */
  #fromClient(chunk: Buffer, at: number): void {
    if (this.#reason !== '') return
    const { client, origin } = this.#ends
    const { end, waitMs, rule, asked } = this.#gate.pass(chunk, at)
    if (end > at) {
      this.#heldSinceMs = null
      if (!origin.write(chunk.subarray(at, end))) client.pause()
    }
    if (waitMs === 0 && asked === null) return this.#letGo()
    this.#isHolding = true
    client.pause()
    if (asked !== null) {
      return void asked.then(() => (client.destroyed ? undefined : this.#fromClient(chunk, end)))
    }
    const nowMs = this.#clock.monotonicMs()
    this.#heldSinceMs ??= nowMs
    if (nowMs + waitMs - this.#heldSinceMs > patienceMs) return this.#closeBecause(rule, nowMs)
    this.#clock.sleep(Math.max(1, Math.ceil(waitMs)), this.#gone.signal).then(
      () => this.#fromClient(chunk, end),
      () => undefined,
    )
  }

  #letGo(): void {
    if (!this.#isHolding) return
    this.#isHolding = false
    if (this.#hasEnded) this.#ends.origin.end()
    else if (!this.#ends.origin.writableNeedDrain) this.#ends.client.resume()
  }

  /** The close comes when the patience is over: until then a client that is too fast is merely not read from. */
  #closeBecause(rule: string, nowMs: number): void {
    const leftMs = patienceMs - (nowMs - (this.#heldSinceMs ?? nowMs))
    this.#clock.sleep(Math.max(0, leftMs), this.#gone.signal).then(
      () => {
        this.#reason = `too many messages: ${rule}`
        this.#ends.origin.write(closeFrame(policyViolated, this.#reason, true))
        if (this.#originFrames.isAtStart) this.#close()
        this.#destroyLater()
      },
      () => undefined,
    )
  }

  #fromOrigin(chunk: Buffer): void {
    const { client, origin } = this.#ends
    let end = 0
    while (end < chunk.length && !(this.#reason !== '' && this.#originFrames.isAtStart)) {
      end = this.#originFrames.read(chunk, end)
    }
    if (end > 0 && !client.writableEnded && !client.write(chunk.subarray(0, end))) origin.pause()
    if (this.#reason !== '' && this.#originFrames.isAtStart) this.#close()
  }

  /** What still comes is read and thrown away: an end with bytes unread would be a reset, and the reason lost. */
  #close(): void {
    const { client } = this.#ends
    if (client.writableEnded) return
    client.end(closeFrame(policyViolated, this.#reason, false))
    client.resume()
  }

  #destroyLater(): void {
    this.#clock.sleep(closingMs, this.#gone.signal).then(
      () => this.#ends.client.destroy(),
      () => undefined,
    )
  }
}
