import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { EdgeBan } from '../../../../contracts/edge-policy.ts'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import {
  banRefusal,
  directClient,
  hostName,
  isFault,
  isLoop,
  isPrivate,
  nobody,
  normaliseTarget,
  ownAuthority,
  plainRefusal,
  proxiedClient,
  readHead,
  statusClass,
  type Client,
  type Countable,
  type Fault,
  type Identity,
  type Refusal,
  type RequestHead,
  type RetryBudget,
  type Target,
  type Trust,
} from '../../pipeline/index.ts'
import {
  admit,
  admitOrWait,
  admitShared,
  admitted,
  refusalBy,
  standingFields,
  type Admission,
  type Bounds,
  type Lease,
  type Leases,
  type Looking,
  type Patience,
  type LookAlikes,
  type Prepared,
  type PreparedLimit,
  type PreparedRoute,
} from '../limits/index.ts'
import { counted, type TargetBoard } from '../shared/index.ts'
import type { Target as OriginTarget } from '../upstreams/index.ts'

/** What all requests of a thread share. */
export interface TrafficGround {
  readonly clock: Clock
  readonly random: Random
  readonly pseudonym: string
  /**
   * The time that limits count by: as the wall clock when the process began, and never set since. Whole milliseconds.
   */
  readonly limitTimeMs: () => number
  readonly board: TargetBoard
  readonly leases: Leases
  readonly budget: RetryBudget
  /** Clients' ends of open tunnels. */
  readonly tunnels: Set<Socket>
  readonly lookAlikes: LookAlikes
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
  readonly countable: Countable
  /** The limits pass over whoever sent it. */
  readonly isAllowed: boolean
  /** Further fields of the answer: name, value, name, value ... */
  readonly answerFields: readonly string[]
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

/** The connection ended while a request waited. */
export interface Gone {
  readonly kind: 'gone'
}

/** What becomes of a request. */
export type Seen = Visit | Refused | Gone

/** A request, and whether it asks for a WebSocket. */
export interface Inspected {
  readonly request: IncomingMessage
  readonly isUpgrade: boolean
}

/**
 * Takes a request through everything that comes before its origin: checks, client, bans, identity, route, limits. A
 * promise only where a proof has to be verified or a limit lets wait; it never rejects.
 */
export function inspect(
  ground: TrafficGround,
  prepared: Prepared,
  { request, isUpgrade }: Inspected,
): Seen | Promise<Seen> {
  const startedMs = ground.clock.monotonicMs()
  const sound = readSound(ground, prepared, request)
  if ('kind' in sound) return sound
  const client = clientOf(ground, prepared, { socket: request.socket, head: sound.head })
  const arrival = { prepared, request, isUpgrade, ...sound, startedMs, client }
  const ban = prepared.bans.knowsNoAddress ? undefined : prepared.bans.byAddress(client)
  if (ban !== undefined && ban.until > ground.clock.now()) return refuseBanned(ground, arrival, ban)
  const who = prepared.identity?.identify(sound.head, client) ?? nobody
  if (!(who instanceof Promise)) return admitVisit(ground, arrival, who)
  return who.then((known) => (request.socket.destroyed ? gone : admitVisit(ground, arrival, known)))
}

/** What a request says, or why it cannot be served. */
function readSound(
  ground: TrafficGround,
  prepared: Prepared,
  request: IncomingMessage,
): Pick<Visit, 'head' | 'target'> | Refused {
  const head = readHead(request.rawHeaders, request.httpVersion, request.url ?? '')
  if (isFault(head)) return refuseFault(prepared, head, undefined)
  const target = normaliseTarget(request.url ?? '')
  if (typeof target === 'string') return refuseFault(prepared, { status: 400, detail: target }, head)
  const misfit = findMisfit(ground, head, request.method)
  if (misfit !== null) return refuseFault(prepared, misfit, head)
  const { localAddress = '', localPort = 0 } = request.socket
  head.authority ||= ownAuthority(localAddress, localPort)
  return { head, target }
}

const gone: Gone = { kind: 'gone' }

function refuseFault(prepared: Prepared, { status, detail }: Fault, head: RequestHead | undefined): Refused {
  const refusal = plainRefusal(status, `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`)
  return refuse(prepared, refusal, { slot: prepared.malformedSlot, head, close: true })
}

interface Arrival extends Pick<Visit, 'prepared' | 'request' | 'head' | 'target' | 'startedMs' | 'client'> {
  readonly isUpgrade: boolean
}

function refuseBanned(ground: TrafficGround, { prepared, head }: Arrival, ban: EdgeBan): Refused {
  const { counters, unmatched } = prepared
  unmatched.watch.banned(ban.subject)
  counters.add(unmatched.slot, counted.requests, 1)
  counters.add(unmatched.slot, counted.refused, 1)
  return refuse(prepared, banRefusal(ban.until, ground.clock.now()), { slot: -1, head, close: false })
}

/** A request whose sender and route are known. */
interface Known extends Arrival {
  readonly isAllowed: boolean
  readonly route: PreparedRoute | null
  readonly bounds: Bounds
  readonly countable: Countable
}

function admitVisit(ground: TrafficGround, arrival: Arrival, who: Identity): Seen | Promise<Seen> {
  const { prepared, request, head, target, client } = arrival
  const { bans, counters, errors } = prepared
  const ban = bans.knowsNobody ? undefined : bans.byIdentity(who)
  if (ban !== undefined && ban.until > ground.clock.now()) return refuseBanned(ground, arrival, ban)
  const nowMs = ground.limitTimeMs()
  const host = hostName(head.authority)
  const method = request.method ?? ''
  const route = prepared.router.find(method, host, target.path)
  const bounds = boundsOf(prepared, route, arrival.isUpgrade)
  counters.add(bounds.slot, counted.requests, 1)
  const countable = { client, who, route: bounds.name, host, method, head }
  bounds.watch.came(countable)
  const isAllowed = allows(bounds, client, who)
  const known = { ...arrival, route, bounds, countable, isAllowed }
  if (isAllowed) return finish(ground, known, admitted)
  const spent = errors.refusalFor(countable, nowMs)
  if (spent !== null) {
    const key = spent.limit.keyOf(countable)
    bounds.watch.decided(spent.limit, { key, isAdmitted: false }, { countable, nowMs })
    const { limit, waitMs } = spent
    return refuseBy(ground, known, { limit, policies: limit.policies, retryAfterMs: waitMs })
  }
  const admission = admitBy(ground, known, nowMs)
  if (!(admission instanceof Promise)) return finish(ground, known, admission)
  return admission.then((answer) => (answer === null ? gone : finish(ground, known, answer)))
}

/** By this edge's own table, and then by what edges share. */
function admitBy(
  ground: TrafficGround,
  { prepared: { limiter, shared }, bounds, countable, request }: Known,
  nowMs: number,
): Admission | Promise<Admission | null> {
  if (shared === null && !bounds.mayQueue) return admit(limiter, bounds, { countable, nowMs })
  const asking = { countable, nowMs, ...patienceOf(ground, request.socket) }
  if (shared === null) return admitOrWait(limiter, bounds, asking)
  return admitShared(shared, { ...asking, limiter, bounds, isGone: () => request.socket.destroyed })
}

function boundsOf(prepared: Prepared, route: PreparedRoute | null, isUpgrade: boolean): Bounds {
  if (route === null) return prepared.unmatched
  return isUpgrade ? route.upgrade : route
}

function allows({ allow }: Bounds, client: Client, who: Identity): boolean {
  if (!allow.knowsNoAddress && allow.byAddress(client) === true) return true
  return !allow.knowsNobody && allow.byIdentity(who) === true
}

function patienceOf(ground: TrafficGround, socket: Socket): Patience {
  return {
    now: ground.limitTimeMs,
    onGone: (leave) => {
      socket.once('close', leave)
      return () => socket.off('close', leave)
    },
  }
}

function lookingAt(ground: TrafficGround, { prepared, countable }: Known): Looking {
  return {
    limiter: prepared.limiter,
    countable,
    syntax: prepared.policy.rateLimitFields,
    nowMs: ground.limitTimeMs(),
    wallMs: ground.clock.now(),
  }
}

interface RefusedBy {
  readonly limit: PreparedLimit
  readonly policies: string
  readonly retryAfterMs: number
}

function refuseBy(ground: TrafficGround, known: Known, by: RefusedBy): Refused {
  const { prepared, bounds, head, client } = known
  prepared.counters.add(bounds.slot, counted.refused, 1)
  prepared.identity?.blame(client)
  return refuse(prepared, refusalBy(by.limit, by, lookingAt(ground, known)), { slot: -1, head, close: false })
}

/** The limits have spoken: on to the origin, or not. */
function finish(ground: TrafficGround, known: Known, admission: Admission): Visit | Refused {
  const { prepared, bounds, route, head, countable } = known
  const { refusedBy, retryAfterMs, wouldRefuse, lease } = admission
  if (wouldRefuse) prepared.counters.add(bounds.slot, counted.wouldRefuse, 1)
  if (refusedBy !== null) {
    return refuseBy(ground, known, { limit: refusedBy, policies: bounds.policies, retryAfterMs })
  }
  if (lease !== null) ground.leases.hold(lease)
  if (route !== null) {
    const answerFields = bounds.saysFields ? standingFields(bounds, lookingAt(ground, known)) : none
    return { kind: 'visit', ...known, route, answerFields, lease }
  }
  if (lease !== null) ground.leases.release(lease)
  prepared.counters.add(bounds.slot, counted.classes + 3, 1)
  prepared.errors.charge(countable, ground.limitTimeMs())
  return refuse(prepared, noRoute, { slot: -1, head, close: false })
}

const none: readonly string[] = []
const noRoute = plainRefusal(404, 'No route leads there.')

/** Who is asked, by the newest policy: nothing is sent to a target that has been withdrawn while a request waited. */
export function targetFor(
  { current }: TrafficGround,
  { prepared, route }: Visit,
  last: OriginTarget | null,
): OriginTarget | undefined {
  return (current ?? prepared).upstreams.get(route.route.upstream).choose(last)
}

/** Counts the class of an answer. */
export function countClass({ prepared, route }: Visit, status: number): void {
  prepared.counters.add(route.slot, counted.classes + statusClass(status) - 1, 1)
}

/** Counts the class of an answer; what was the sender's doing counts for the limits of errors, too. */
export function countAnswer(ground: TrafficGround, visit: Visit, status: number): void {
  countClass(visit, status)
  if (status >= 400) visit.prepared.errors.charge(visit.countable, ground.limitTimeMs())
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

interface Peer {
  readonly client: Client
  /** What the policy that was asked last says. */
  readonly trust: Trust
  readonly isTrusted: boolean
  readonly isPrivate: boolean
}

const peers = new WeakMap<Socket, Peer>()

/** Looked up once for each connection and policy. */
function peerOf(socket: Socket, trust: Trust): Peer {
  const known = peers.get(socket)
  if (known?.trust === trust) return known
  const client = known?.client ?? directClient(socket.remoteAddress ?? '')
  const { address } = client
  const peer = { client, trust, isTrusted: trust(address), isPrivate: isPrivate(address) }
  peers.set(socket, peer)
  return peer
}

function clientOf(
  ground: TrafficGround,
  { trust }: Prepared,
  { socket, head }: { readonly socket: Socket; readonly head: RequestHead },
): Client {
  const peer = peerOf(socket, trust)
  const { client } = peer
  if (peer.isTrusted) return proxiedClient(client, head, trust)
  const speaksForOthers = head.forwardedFor !== '' || head.forwarded !== ''
  if (speaksForOthers && peer.isPrivate) ground.lookAlikes.count(client.address)
  return client
}
