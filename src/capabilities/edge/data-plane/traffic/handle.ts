import type { IncomingMessage, ServerResponse } from 'node:http'
import { secureLocation } from '../../pipeline/index.ts'
import { counted } from '../shared/index.ts'
import { deliver } from './answer.ts'
import { bodyRefusal, Exchange } from './exchange.ts'
import { countAnswer, inspect, type Seen, type TrafficGround, type Visit } from './visit.ts'

/** The door that a request came in by. */
export interface Door {
  readonly isSecure: boolean
  /** Answer everything with a redirect to HTTPS on this port. */
  redirectToPort: number | null
}

/** What came in. */
export interface Incoming {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly expectsContinue: boolean
}

/** Serves one request, from its head to the last byte of the answer. */
export function handle(ground: TrafficGround, door: Door, incoming: Incoming): void {
  const prepared = ground.current
  if (prepared === null) return void incoming.response.destroy()
  const seen = inspect(ground, prepared, { request: incoming.request, isUpgrade: false })
  if (!(seen instanceof Promise)) return proceed(ground, door, { ...incoming, seen })
  void seen.then((known) => proceed(ground, door, { ...incoming, seen: known }))
}

function proceed(ground: TrafficGround, door: Door, incoming: Incoming & { readonly seen: Seen }): void {
  const { request, response, expectsContinue, seen } = incoming
  if (seen.kind === 'gone') return
  if (seen.kind === 'refused') {
    const close = seen.close || expectsContinue || ground.isDraining
    return deliver(request, response, { ...seen, close, ground })
  }
  if (response.destroyed) return release(ground, seen)
  if (door.redirectToPort !== null) return redirect(ground, seen, { response, port: door.redirectToPort })
  const mostBytes = seen.route.route.maxBodyBytes
  if (seen.head.contentLength > mostBytes) return refuseBody(ground, seen, response)
  new Exchange({ ground, visit: seen, response, isSecure: door.isSecure, expectsContinue }).begin()
}

function refuseBody(ground: TrafficGround, visit: Visit, response: ServerResponse): void {
  release(ground, visit)
  countAnswer(ground, visit, 413)
  const refusal = bodyRefusal(visit.route.route.maxBodyBytes)
  const { accept } = visit.head
  deliver(visit.request, response, { refusal, accept, close: true, hasLargeBody: true, ground })
}

function redirect(
  ground: TrafficGround,
  visit: Visit,
  { response, port }: { readonly response: ServerResponse; readonly port: number },
): void {
  release(ground, visit)
  visit.prepared.counters.add(visit.route.slot, counted.classes + 2, 1)
  const { method } = visit.request
  const status = method === 'GET' || method === 'HEAD' ? 301 : 308
  const location = secureLocation(visit.head.authority, port, visit.target.path + visit.target.query)
  response.writeHead(status, ['location', location, 'content-length', '0', 'connection', 'close'])
  response.end()
}

function release(ground: TrafficGround, { lease }: Visit): void {
  if (lease !== null) ground.leases.release(lease)
}
