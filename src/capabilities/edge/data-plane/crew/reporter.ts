import type {
  EdgeNote,
  EdgePolicy,
  EdgeReport,
  LimitRollUp,
  SenderMinute,
} from '../../../../contracts/edge-policy.ts'
import type { Counts, Limiter } from '../../../../kernel/limit/index.ts'
import { mergeOffenders, mergeSenders, type Offenders } from '../../offenders/index.ts'
import { mostThreads, type Counters, type LookAlike, type SharedRefusals } from '../shared/index.ts'
import { takeGroups, takeRoutes } from './roll-ups.ts'
import { StoreRefusals } from './store-refusals.ts'

/** What is counted under one policy. */
export interface Ledger {
  readonly policy: EdgePolicy
  readonly counters: Counters
  /** Attached to the table of all threads. */
  readonly limiter: Limiter
}

/** Turns what the threads count into reports, one a second. */
export interface Reporter {
  /** From now on this is what is counted under; what is still counted under the last ones is not lost. */
  open(ledger: Ledger): void
  /** Remembers something for the next report. */
  note(note: EdgeNote): void
  /** Counts as refused what shared counters refused although the table had admitted it. */
  addSharedRefusals(refusals: SharedRefusals): void
  /** Remembers whom limits refused in a thread. */
  see(seen: Offenders): void
  /** Remembers who sent most requests in a thread. */
  addSenders(senders: readonly SenderMinute[]): void
  /** Adds requests of peers that look like proxies to the next report. */
  addLookAlikes(peers: readonly LookAlike[]): void
  /** Takes everything counted since the last call. */
  take(second: Pick<EdgeReport, 'at' | 'connections' | 'unhealthyTargets'>): EdgeReport
}

const mostNotes = 20
/** Most in one report. */
const mostNamed = { offenders: 64, nearMisses: 32 }
/** As in `edgeReport`. */
const mostSenders = 192
/** What threads told within a second. */
const mostSeen = 2 * mostThreads
const mostLookAlikes = 16
/** Policies whose last requests are still waited for. */
const mostRetired = 4

/** Creates the reporter of an edge process. */
export function createReporter(edgeId: string): Reporter {
  const retired: Ledger[] = []
  const counts = new Map<string, Counts>()
  let current: Ledger | null = null
  const stores = new StoreRefusals()
  let notes: EdgeNote[] = []
  const lookAlikes = createPeerCount()
  let number = 0
  const seen: Offenders[] = []
  const senders = createSenderList()

  return {
    open: (ledger) => {
      if (current !== null && current.counters.buffer !== ledger.counters.buffer) retired.push(current)
      retired.splice(0, retired.length - mostRetired)
      current = ledger
      const keys = new Set(ledger.policy.limits.map(({ name, rule }) => keyOf(name, rule)))
      for (const key of counts.keys()) if (!keys.has(key)) counts.delete(key)
      stores.keep(keys)
      for (const [index, { name, rule }] of ledger.policy.limits.entries()) {
        const now = ledger.limiter.counters()[index]
        const key = keyOf(name, rule)
        const before = counts.get(key)
        // A table of another size begins at zero.
        if (now !== undefined && (before === undefined || before.admitted > now.admitted))
          counts.set(key, now)
      }
    },
    note: (note) => {
      if (notes.length < mostNotes) notes.push(note)
    },
    addSharedRefusals: (refusals) => {
      for (const { name, rule, refused } of refusals) stores.add(keyOf(name, rule), refused)
    },
    see: (offenders) => {
      if (seen.length < mostSeen) seen.push(offenders)
    },
    addSenders: senders.add,
    addLookAlikes: lookAlikes.add,
    take: (second) => {
      const ledgers = current === null ? retired : [...retired, current]
      const happened = notes
      notes = []
      const peers = lookAlikes.take()
      return {
        number: ++number,
        edgeId,
        ...second,
        revision: current?.policy.revision ?? '',
        routes: takeRoutes(ledgers),
        limits: current === null ? [] : takeLimits(current, counts, stores),
        happened,
        ...takeGroups(ledgers),
        ...(peers.length === 0 ? {} : { lookAlikes: peers }),
        ...senders.take(),
        ...toldOffenders(seen.splice(0)),
      }
    },
  }
}

function toldOffenders(told: readonly Offenders[]): Pick<EdgeReport, 'offenders' | 'nearMisses'> {
  if (told.length === 0) return {}
  const { offenders, nearMisses } = mergeOffenders(told, mostNamed)
  return { offenders: [...offenders], nearMisses: [...nearMisses] }
}

/** Who sent most requests, by all threads. */
function createSenderList() {
  let senders: readonly SenderMinute[] = []
  return {
    add: (more: readonly SenderMinute[]): void => {
      senders = mergeSenders([...senders, ...more], mostSenders)
    },
    take: (): Pick<EdgeReport, 'senders'> => {
      const sent = [...senders]
      senders = []
      return sent.length === 0 ? {} : { senders: sent }
    },
  }
}

/** Requests of peers of all threads, a bounded number of peers. */
function createPeerCount() {
  let counts = new Map<string, number>()
  return {
    add: (peers: readonly LookAlike[]): void => {
      for (const { address, requests } of peers) {
        const known = counts.get(address)
        if (known !== undefined || counts.size < mostLookAlikes) counts.set(address, (known ?? 0) + requests)
      }
    },
    take: (): LookAlike[] => {
      const peers = [...counts].map(([address, requests]) => ({ address, requests }))
      counts = new Map()
      return peers
    },
  }
}

/** What each limit decided since `counts`, which are brought up to date. */
function takeLimits(
  { policy, limiter }: Ledger,
  counts: Map<string, Counts>,
  stores: StoreRefusals,
): LimitRollUp[] {
  const all = limiter.counters()
  return policy.limits.flatMap(({ name, rule }, index) => {
    const now = all[index]
    if (now === undefined) return []
    const key = keyOf(name, rule)
    const before = counts.get(key)
    counts.set(key, now)
    const rollUp = { name, rule, ...difference(now, before) }
    stores.correct(key, rollUp)
    return rollUp.admitted + rollUp.refused + rollUp.wouldRefuse === 0 ? [] : [rollUp]
  })
}

/** Counts are kept by the limiter for name and rule, dry run or not. */
function keyOf(name: string, rule: string): string {
  return `${name}\n${rule}`
}

function difference(now: Counts, before: Counts | undefined): Counts {
  return {
    admitted: Math.max(0, now.admitted - (before?.admitted ?? 0)),
    refused: Math.max(0, now.refused - (before?.refused ?? 0)),
    wouldRefuse: Math.max(0, now.wouldRefuse - (before?.wouldRefuse ?? 0)),
  }
}
