import { request as requestHttp, ServerResponse, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  originFields,
  originRefusal,
  reasonPhrase,
  responseFields,
  schemeOf,
  type OriginFailure,
  type Refusal,
} from '../../pipeline/index.ts'
import { counted } from '../shared/index.ts'
import type { Target } from '../upstreams/index.ts'
import { deliver } from '../traffic/answer.ts'
import { countAnswer, countClass, inspect, targetFor } from '../traffic/visit.ts'
import type { Seen, TrafficGround, Visit } from '../traffic/visit.ts'
import { relay, relayMessages } from './relay.ts'

/** A request for another protocol on the same connection. */
export interface UpgradeRequest {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** What came behind the head. */
  readonly rest: Buffer
  readonly isSecure: boolean
}

/** Leads a WebSocket (RFC 6455) through to its origin, under the same routes and limits as any request. */
export function tunnel(ground: TrafficGround, upgrade: UpgradeRequest): void {
  const { request, socket } = upgrade
  socket.on('error', () => socket.destroy())
  const prepared = ground.current
  if (prepared === null) return void socket.destroy()
  const seen = inspect(ground, prepared, { request, isUpgrade: true })
  if (seen instanceof Promise) void seen.then((known) => proceed(ground, upgrade, known))
  else proceed(ground, upgrade, seen)
}

function proceed(ground: TrafficGround, upgrade: UpgradeRequest, seen: Seen): void {
  if (seen.kind === 'gone') return
  if (seen.kind === 'refused') {
    return refuse(ground, upgrade, { refusal: seen.refusal, accept: seen.accept })
  }
  if (!upgrade.socket.destroyed) return new Tunnel(ground, upgrade, seen).begin()
  if (seen.lease !== null) ground.leases.release(seen.lease)
}

function refuse(
  ground: TrafficGround,
  { request, socket }: UpgradeRequest,
  said: { readonly refusal: Refusal; readonly accept: string },
): void {
  const response = responseOn(request, socket)
  deliver(request, response, { ...said, close: true, hasLargeBody: false, ground })
}

function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  return response
}

class Tunnel {
  readonly #ground: TrafficGround
  readonly #upgrade: UpgradeRequest
  readonly #visit: Visit
  #target: Target | null = null
  #outgoing: ClientRequest | null = null
  #isAnswered = false

  constructor(ground: TrafficGround, upgrade: UpgradeRequest, visit: Visit) {
    this.#ground = ground
    this.#upgrade = upgrade
    this.#visit = visit
  }

  begin(): void {
    const { socket } = this.#upgrade
    socket.once('close', this.#closed)
    const target = targetFor(this.#ground, this.#visit, null)
    if (target === undefined) return this.#fail('no-healthy-target')
    this.#target = target
    target.enter()
    this.#ask(target)
  }

  #ask({ origin }: Target): void {
    const { head, client, target, route, request } = this.#visit
    const scheme = schemeOf(head, client, this.#upgrade.isSecure)
    const { pseudonym } = this.#ground
    const fields = originFields(head, { client, scheme, pseudonym, httpVersion: request.httpVersion })
    fields.push('connection', 'Upgrade', 'upgrade', head.upgrade)
    const open = origin.url.protocol === 'https:' ? requestHttps : requestHttp
    const outgoing = open(origin.url, {
      method: 'GET',
      path: target.path + target.query,
      headers: fields,
      agent: false,
    })
    this.#outgoing = outgoing
    let isConnected = false
    outgoing.once('socket', (socket) => socket.once('connect', () => (isConnected = true)))
    outgoing.setTimeout(route.route.responseTimeoutMs, () => {
      outgoing.destroy()
      this.#fail('timed-out')
    })
    outgoing.once('upgrade', (answer, socket, rest) => this.#join(answer, { socket, rest }))
    outgoing.once('response', (answer) => this.#decline(answer))
    outgoing.once('error', () => {
      if (!isConnected) this.#target?.suspect()
      this.#fail(isConnected ? 'broke-off' : 'unreachable')
    })
    outgoing.end()
  }

  /** The origin agreed: from now on bytes go to and fro. */
  #join(answer: IncomingMessage, origin: { readonly socket: Duplex; readonly rest: Buffer }): void {
    const { socket, rest } = this.#upgrade
    const originSocket = origin.socket as Socket
    if (socket.destroyed) return void originSocket.destroy()
    this.#isAnswered = true
    this.#ground.tunnels.add(socket)
    this.#count(counted.classes, 1)
    socket.write(switchingProtocols(answer))
    const { idleTimeoutMs } = this.#visit.route.route
    originSocket.setTimeout(0)
    socket.setTimeout(idleTimeoutMs, () => socket.destroy())
    originSocket.on('error', () => originSocket.destroy())
    originSocket.once('close', () => socket.destroy())
    socket.once('close', () => originSocket.destroy())
    this.#relay(originSocket, { fromOrigin: origin.rest, fromClient: rest })
  }

  #relay(origin: Socket, rest: { readonly fromOrigin: Buffer; readonly fromClient: Buffer }): void {
    const { socket } = this.#upgrade
    const { prepared, route, countable, isAllowed } = this.#visit
    const { clock, limitTimeMs } = this.#ground
    const onBytesIn = (sizeBytes: number): void => this.#count(counted.bytesIn, sizeBytes)
    const onBytesOut = (sizeBytes: number): void => this.#count(counted.bytesOut, sizeBytes)
    const ends = { client: socket, origin, onBytesIn, onBytesOut, rest }
    const { messages: limits, watch } = route
    if (limits.length === 0 || isAllowed) return relay(ends)
    const isShared = limits.some(({ index }) => prepared.shared?.places.has(index))
    const shared = isShared ? prepared.shared : null
    if (shared !== null) socket.once('close', shared.counters.hold())
    relayMessages(ends, { clock, limitTimeMs, prepared, limits, shared, countable, watch })
  }

  /** The origin answered with something else: that is the answer, and the connection ends with it. */
  #decline(answer: IncomingMessage): void {
    const { request, socket } = this.#upgrade
    const { fields, contentLength, isCoded } = responseFields(answer.rawHeaders)
    if (isCoded) {
      answer.destroy()
      return this.#fail('invalid-answer')
    }
    this.#isAnswered = true
    const status = answer.statusCode ?? 502
    if (status >= 500) this.#target?.failed()
    countAnswer(this.#ground, this.#visit, status)
    const response = responseOn(request, socket)
    if (contentLength !== '') fields.push('content-length', contentLength)
    response.writeHead(status, reasonPhrase(answer.statusMessage), [...fields, 'connection', 'close'])
    answer.once('error', () => socket.destroy())
    answer.once('aborted', () => socket.destroy())
    answer.pipe(response)
  }

  #fail(failure: OriginFailure): void {
    if (this.#isAnswered || this.#upgrade.socket.destroyed) return
    this.#isAnswered = true
    const refusal = originRefusal(failure, this.#visit.route.route.upstream)
    this.#target?.failed()
    this.#count(counted.failures, 1)
    countClass(this.#visit, refusal.status)
    refuse(this.#ground, this.#upgrade, { refusal, accept: this.#visit.head.accept })
  }

  #count(field: number, amount: number): void {
    this.#visit.prepared.counters.add(this.#visit.route.slot, field, amount)
  }

  readonly #closed = (): void => {
    this.#ground.tunnels.delete(this.#upgrade.socket)
    this.#outgoing?.destroy()
    this.#target?.leave()
    this.#target = null
    if (this.#visit.lease !== null) this.#ground.leases.release(this.#visit.lease)
  }
}

function switchingProtocols(answer: IncomingMessage): string {
  const { fields } = responseFields(answer.rawHeaders)
  let text = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
  text += `Upgrade: ${answer.headers.upgrade ?? 'websocket'}\r\n`
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`
  return `${text}\r\n`
}
