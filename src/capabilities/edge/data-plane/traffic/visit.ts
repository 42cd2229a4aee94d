import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import {
  directClient,
  hostName,
  isFault,
  isLoop,
  limitRefusal,
  normaliseTarget,
  ownAuthority,
  plainRefusal,
  proxiedClient,
  readHead,
  type Client,
  type Fault,
  type Refusal,
  type RequestHead,
  type RetryBudget,
  type Target,
  type Trust,
} from '../../pipeline/index.ts'
import { counted, type TargetBoard } from '../shared/index.ts'
import { admit } from './admit.ts'
import type { Lease, Leases } from './leases.ts'
import type { Bounds, Prepared, PreparedRoute } from './prepared.ts'

/** What all requests of a thread share. */
export interface TrafficGround {
  readonly clock: Clock
  readonly random: Random
  readonly pseudonym: string
  /** See `ThreadGround`. */
  readonly timeOriginMs: number
  readonly board: TargetBoard
  readonly leases: Leases
  readonly budget: RetryBudget
  /** Clients' ends of open tunnels. */
  readonly tunnels: Set<Socket>
  /** What is in effect; null before the first policy. */
  current: Prepared | null
  isDraining: boolean
}

/** A request that may go on to its origin. */
export interface Visit {
  readonly kind: 'visit'
  readonly prepared: Prepared
  readonly route: PreparedRoute
  readonly request: IncomingMessage
  readonly head: RequestHead
  readonly target: Target
  readonly client: Client
  /** On the monotonic clock. */
  readonly startedMs: number
  readonly lease: Lease | null
}

/** A request that the edge answers itself. */
export interface Refused {
  readonly kind: 'refused'
  readonly prepared: Prepared
  readonly refusal: Refusal
  readonly accept: string
  /** The connection cannot be trusted to be in step any more. */
  readonly close: boolean
  /** Whether the body is of a size that is not worth reading. */
  readonly hasLargeBody: boolean
  readonly slot: number
}

/** Bodies up to here are read and thrown away when a request is refused, to keep the connection. */
const smallBodyBytes = 65_536

/** Takes a request through everything that comes before its origin: checks, client, route, limits. */
export function inspect(
  ground: TrafficGround,
  prepared: Prepared,
  request: IncomingMessage,
): Visit | Refused {
  const startedMs = ground.clock.monotonicMs()
  const head = readHead(request.rawHeaders, request.httpVersion, request.url ?? '')
  if (isFault(head)) return refuseFault(prepared, head, undefined)
  const target = normaliseTarget(request.url ?? '')
  if (typeof target === 'string') return refuseFault(prepared, { status: 400, detail: target }, head)
  const misfit = findMisfit(ground, head, request.method)
  if (misfit !== null) return refuseFault(prepared, misfit, head)
  const { localAddress = '', localPort = 0 } = request.socket
  head.authority ||= ownAuthority(localAddress, localPort)
  return admitVisit(ground, { prepared, request, head, target, startedMs })
}

function refuseFault(prepared: Prepared, { status, detail }: Fault, head: RequestHead | undefined): Refused {
  const refusal = plainRefusal(status, `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`)
  return refuse(prepared, refusal, { slot: prepared.malformedSlot, head, close: true })
}

type Seen = Pick<Visit, 'prepared' | 'request' | 'head' | 'target' | 'startedMs'>

function admitVisit(ground: TrafficGround, seen: Seen): Visit | Refused {
  const { prepared, request, head, target } = seen
  const client = clientOf(request.socket, head, prepared.trust)
  const host = hostName(head.authority)
  const route = prepared.router.find(request.method ?? '', host, target.path)
  const bounds: Bounds = route ?? prepared.unmatched
  const { counters } = prepared
  counters.add(bounds.slot, counted.requests, 1)
  const countable = { client, route: bounds.name, host }
  const { refusedBy, retryAfterMs, wouldRefuse, lease } = admit(prepared, bounds, {
    countable,
    nowMs: Math.floor(ground.timeOriginMs + seen.startedMs),
  })
  if (wouldRefuse) counters.add(bounds.slot, counted.wouldRefuse, 1)
  if (refusedBy !== null) {
    counters.add(bounds.slot, counted.refused, 1)
    const refusal = limitRefusal(refusedBy.name, refusedBy.rule, retryAfterMs)
    return refuse(prepared, refusal, { slot: -1, head, close: false })
  }
  if (lease !== null) ground.leases.hold(lease)
  if (route !== null) return { kind: 'visit', ...seen, route, client, lease }
  if (lease !== null) ground.leases.release(lease)
  counters.add(bounds.slot, counted.classes + 3, 1)
  return refuse(prepared, plainRefusal(404, 'No route leads there.'), { slot: -1, head, close: false })
}

/** Why a request whose head is sound is not served all the same. */
function findMisfit(ground: TrafficGround, head: RequestHead, method: string | undefined): Fault | null {
  if (method === 'TRACE' || method === 'CONNECT') {
    return { status: 405, detail: `${method} is not served here` }
  }
  return isLoop(head, ground.pseudonym) ? { status: 508, detail: 'this request has been here before' } : null
}

interface RefuseParts {
  /** Where it is counted as a request; -1: it has been counted. */
  readonly slot: number
  readonly head?: RequestHead | undefined
  readonly close: boolean
}

function refuse(prepared: Prepared, refusal: Refusal, { slot, head, close }: RefuseParts): Refused {
  if (slot >= 0) {
    prepared.counters.add(slot, counted.requests, 1)
    prepared.counters.add(slot, counted.classes + Math.floor(refusal.status / 100) - 1, 1)
  }
  return {
    kind: 'refused',
    prepared,
    refusal,
    accept: head?.accept ?? '',
    close,
    hasLargeBody: head === undefined || head.chunked || head.contentLength > smallBodyBytes,
    slot,
  }
}

const directClients = new WeakMap<Socket, Client>()

function clientOf(socket: Socket, head: RequestHead, trust: Trust): Client {
  let peer = directClients.get(socket)
  if (peer === undefined) {
    peer = directClient(socket.remoteAddress ?? '')
    directClients.set(socket, peer)
  }
  return trust(peer.address) ? proxiedClient(peer, head, trust) : peer
}
