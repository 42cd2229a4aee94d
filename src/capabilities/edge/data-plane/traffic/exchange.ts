import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { saySize, systemCode } from '../../../../kernel/std/index.ts'
import {
  fieldOf,
  mayGoUnread,
  mayRetry,
  originFields,
  originRefusal,
  plainRefusal,
  reasonPhrase,
  responseFields,
  schemeOf,
  type OriginFailure,
  type Refusal,
} from '../../pipeline/index.ts'
import { counted } from '../shared/index.ts'
import { deliver } from './answer.ts'
import type { Target } from '../upstreams/index.ts'
import { Reply } from './reply.ts'
import { BodyTooLarge, RequestBody } from './request-body.ts'
import { countAnswer, countClass, targetFor, type TrafficGround, type Visit } from './visit.ts'

/** Status, fields as an object (of no use here: it joins what came twice), reason. */
type ResponseStart = readonly [status: number, fields: unknown, reason?: string]

/** What an exchange needs besides the visit. */
export interface ExchangeParts {
  readonly ground: TrafficGround
  readonly visit: Visit
  readonly response: ServerResponse
  readonly isSecure: boolean
  readonly expectsContinue: boolean
}

/** The origin answered with what is no HTTP, or none that is served here. */
class InvalidAnswer extends Error {}

/** One request on its way to an origin and the answer on its way back. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts
  readonly #fields: string[]
  readonly #hasBody: boolean
  readonly #reply: Reply
  #controller: Dispatcher.DispatchController | null = null
  /** Whom it was sent to last. */
  #target: Target | null = null
  /** On the monotonic clock. */
  #sentMs = 0
  #body: RequestBody | null = null
  #tries = 0
  #isSent = false
  #isOver = false
  /** Of the answer that has begun; 0: none has. */
  #status = 0
  /** Whether it is under way at its target. */
  #isThere = false
  #isEventStream = false

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.#reply = new Reply(parts.response)
    const { head, client, request } = parts.visit
    const scheme = schemeOf(head, client, parts.isSecure)
    const { pseudonym } = parts.ground
    this.#fields = originFields(head, { client, scheme, pseudonym, httpVersion: request.httpVersion })
    this.#hasBody = head.chunked || head.contentLength > 0
    if (head.contentLength >= 0) this.#fields.push('content-length', String(head.contentLength))
  }

  /** Sends the request; the response is ended, or destroyed, in any case. */
  begin(): void {
    const { ground, response } = this.#parts
    ground.budget.earn()
    response.once('close', this.#closed)
    this.#try()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#isSent = true
    if (this.#isOver) controller.abort(new Error('the client went away'))
  }

  onResponseStart(controller: Dispatcher.DispatchController, ...[status, , reason]: ResponseStart): void {
    // 103 Early Hints and other interim answers end here.
    if (status < 200 || this.#isOver) return
    const raw = (controller as unknown as { readonly rawHeaders: readonly (Buffer | string)[] }).rawHeaders
    const { fields, contentLength, isCoded, isEventStream } = responseFields(raw)
    if (isCoded) return controller.abort(new InvalidAnswer('a transfer coding that is not served here'))
    if (this.#parts.ground.isDraining) fields.push('connection', 'close')
    this.#addFields(status, fields)
    this.#status = status
    this.#isEventStream = isEventStream
    this.#judge(status)
    countAnswer(this.#parts.ground, this.#parts.visit, status)
    this.#reply.begin({ status, reason: reasonPhrase(reason), fields, contentLength })
  }

  /** What this says of the target's group. The first byte tells how fast it is; the last one, how fast the client reads. */
  #judge(status: number): void {
    this.#target?.answered(this.#parts.ground.clock.monotonicMs() - this.#sentMs)
    if (status >= 500) this.#target?.failed()
  }

  /** How the limits stand, and what takes a browser on its way to a passport. */
  #addFields(status: number, fields: string[]): void {
    const { visit, isSecure } = this.#parts
    fields.push(...visit.answerFields)
    const { who } = visit.countable
    const { identity } = visit.prepared
    if (identity === null || status >= 400 || who.user !== '' || who.key !== '') return
    const type = fieldOf({ fields }, 'content-type') ?? ''
    const cookie = type.startsWith('text/html') ? identity.offer(visit.head, visit.client, isSecure) : null
    if (cookie !== null) fields.push('set-cookie', cookie)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response, visit } = this.#parts
    visit.prepared.counters.add(visit.route.slot, counted.bytesOut, chunk.length)
    if (this.#reply.write(chunk) || this.#isOver) return
    controller.pause()
    visit.request.socket.setTimeout(visit.route.route.idleTimeoutMs)
    response.once('drain', () => {
      visit.request.socket.setTimeout(0)
      controller.resume()
    })
  }

  onResponseEnd(): void {
    this.#leave()
    this.#reply.end()
  }

  onResponseError(_controller: unknown, error: Error): void {
    const failure = failureOf(error, this.#isSent)
    // Said before the target is left: from here on no request goes there until it has been probed.
    if (failure === 'unreachable') this.#target?.suspect()
    this.#leave()
    this.#controller = null
    if (this.#isOver) return
    if (this.#status > 0) return this.#breakOff()
    if (this.#body?.errored instanceof BodyTooLarge) {
      return this.#refuse(bodyRefusal(this.#parts.visit.route.route.maxBodyBytes))
    }
    if (failure === null) return this.#refuse(plainRefusal(400, 'The request is not valid.'))
    this.#target?.failed()
    if (this.#mayRetry(failure)) this.#try()
    else this.#fail(failure)
  }

  #mayRetry(failure: OriginFailure): boolean {
    const failed = {
      method: this.#parts.visit.request.method ?? '',
      tries: this.#tries,
      sent: this.#isSent,
      bodyTaken: this.#body?.isTaken ?? false,
      timedOut: failure === 'timed-out',
    }
    return failure !== 'invalid-answer' && mayRetry(failed) && this.#parts.ground.budget.spend()
  }

  #try(): void {
    const { ground, visit } = this.#parts
    const { route } = visit.route
    const target = targetFor(ground, visit, this.#target)
    if (target === undefined) return this.#fail(this.#tries === 0 ? 'no-healthy-target' : 'unreachable')
    this.#tries++
    this.#isSent = false
    this.#target = target
    this.#body = this.#hasBody ? this.#openBody() : null
    this.#isThere = true
    this.#sentMs = ground.clock.monotonicMs()
    target.enter()
    target.origin.dispatcher.dispatch(
      {
        path: visit.target.path + visit.target.query,
        method: visit.request.method ?? 'GET',
        reset: mayGoUnread(visit.head, visit.request.method ?? 'GET'),
        headers: this.#fields,
        body: this.#body,
        headersTimeout: route.responseTimeoutMs,
        bodyTimeout: route.idleTimeoutMs,
      },
      this,
    )
  }

  #openBody(): RequestBody {
    const { visit, response, expectsContinue } = this.#parts
    const { route, slot } = visit.route
    return new RequestBody({
      request: visit.request,
      response,
      mostBytes: route.maxBodyBytes,
      idleTimeoutMs: route.idleTimeoutMs,
      expectsContinue,
      onBytes: (sizeBytes) => visit.prepared.counters.add(slot, counted.bytesIn, sizeBytes),
    })
  }

  #fail(failure: OriginFailure): void {
    const { visit } = this.#parts
    visit.prepared.counters.add(visit.route.slot, counted.failures, 1)
    this.#refuse(originRefusal(failure, visit.route.route.upstream))
  }

  #refuse(refusal: Refusal): void {
    const { visit, response, ground } = this.#parts
    // What the service fails at is not the client's doing.
    if (refusal.status >= 500) countClass(visit, refusal.status)
    else countAnswer(ground, visit, refusal.status)
    deliver(visit.request, response, {
      refusal,
      accept: visit.head.accept,
      close: ground.isDraining,
      hasLargeBody: this.#hasBody,
      ground,
    })
  }

  /** The origin ended in the middle: the client must not take what it got for the whole. */
  #breakOff(): void {
    // Otherwise its status has been counted as a failure.
    if (this.#status < 500) this.#target?.failed()
    const { response } = this.#parts
    const { socket } = response
    if (socket === null) response.destroy()
    else socket.resetAndDestroy()
  }

  #leave(): void {
    if (!this.#isThere) return
    this.#isThere = false
    this.#target?.leave()
  }

  readonly #closed = (): void => {
    this.#isOver = true
    const { ground, visit, response } = this.#parts
    if (visit.lease !== null) ground.leases.release(visit.lease)
    if (response.writableFinished) {
      if (this.#isEventStream) return
      visit.prepared.counters.addLatency(visit.route.slot, ground.clock.monotonicMs() - visit.startedMs)
      return
    }
    if (this.#status === 0 && !response.headersSent) countClass(visit, 400)
    this.#controller?.abort(new Error('the client went away'))
    this.#body?.destroy()
  }
}

/** Refusal of a body that is larger than the route allows. */
export function bodyRefusal(mostBytes: number): Refusal {
  return {
    ...plainRefusal(413, `A body here has at most ${saySize(mostBytes)}.`),
    members: { mostBytes: String(mostBytes) },
  }
}

const timeouts: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** What a failure of the origin is called; null: it was the request that was at fault. */
function failureOf(error: Error, isSent: boolean): OriginFailure | null {
  const code = systemCode(error) ?? ''
  if (code === 'UND_ERR_INVALID_ARG') return null
  if (!isSent) return 'unreachable'
  if (timeouts.has(code)) return 'timed-out'
  const isInvalid =
    error instanceof InvalidAnswer ||
    error.name === 'HTTPParserError' ||
    code.startsWith('UND_ERR_HEADERS') ||
    code === 'ERR_INVALID_CHAR'
  return isInvalid ? 'invalid-answer' : 'broke-off'
}
