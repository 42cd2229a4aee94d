import type { TrafficSpan } from '../../../contracts/edge.ts'
import type { EdgeReport, SenderMinute } from '../../../contracts/edge-policy.ts'

const minuteMs = 60_000
const minutes = 5
const spanMs = minutes * minuteMs
/** Threads tell of a minute so long after it at the most. */
const lateMs = 10_000
/** As in `trafficSpan`. */
const most = { routes: 60, senders: 32 } as const
/** So many of a minute are kept until its span ends. */
const mostOfMinute = 384
/** Of each route so many come before all others: a route with few requests may be the one that a limit is for. */
const firstOfRoute = 3

type Sender = Pick<SenderMinute, 'route' | 'address' | 'who' | 'requests'>

const idOf = ({ route, address, who }: Sender): string => `${route}\n${address}\n${who}`

/** Sums up what was seen of the same senders in the same minute; keeps those who sent most, of each route the first. */
export function mergeSenders(all: readonly SenderMinute[], count: number): SenderMinute[] {
  const sums = new Map<string, SenderMinute>()
  for (const each of all) {
    const id = `${each.minute}\n${idOf(each)}`
    sums.set(id, { ...each, requests: each.requests + (sums.get(id)?.requests ?? 0) })
  }
  return foremost([...sums.values()], count)
}

function foremost<T extends Sender>(senders: readonly T[], count: number): T[] {
  const ofRoute = new Map<string, number>()
  const isFirst = ({ route }: T): boolean => {
    const rank = (ofRoute.get(route) ?? 0) + 1
    ofRoute.set(route, rank)
    return rank <= firstOfRoute
  }
  const ordered = senders.toSorted((a, b) => b.requests - a.requests)
  const [first, rest]: [T[], T[]] = [[], []]
  for (const each of ordered) (isFirst(each) ? first : rest).push(each)
  return [...first, ...rest].slice(0, count)
}

interface Minute {
  readonly routes: Map<string, number>
  senders: readonly SenderMinute[]
}

type Counted = Pick<EdgeReport, 'at' | 'senders'> & {
  readonly routes: readonly Pick<EdgeReport['routes'][number], 'route' | 'requests'>[]
}

/** Sums up requests by spans of five minutes, so that there is one fact for each. */
export class SpanTally {
  /** By the start of the minute; those of two spans at most. */
  readonly #minutes = new Map<number, Minute>()

  /** Takes the next report; answers with the spans that are over. */
  take({ at, routes, senders = [] }: Counted): readonly TrafficSpan[] {
    const counts = this.#minuteAt(at).routes
    for (const { route, requests } of routes) {
      if (route !== '(malformed)') counts.set(route, requests + (counts.get(route) ?? 0))
    }
    for (const minute of new Set(senders.map((each) => each.minute))) this.#add(minute, senders)
    return this.#end((until) => until + lateMs <= at || until - spanMs > at + lateMs)
  }

  /** What is not over yet. */
  open(): readonly TrafficSpan[] {
    return this.#starts().flatMap((from) => this.#span(from))
  }

  #add(minute: number, senders: readonly SenderMinute[]): void {
    const kept = this.#minuteAt(minute)
    const more = senders.filter((each) => each.minute === minute)
    kept.senders = mergeSenders([...kept.senders, ...more], mostOfMinute)
  }

  #minuteAt(at: number): Minute {
    const start = at - (at % minuteMs)
    const known = this.#minutes.get(start) ?? { routes: new Map<string, number>(), senders: [] }
    this.#minutes.set(start, known)
    return known
  }

  #starts(): readonly number[] {
    return [...new Set([...this.#minutes.keys()].map((at) => at - (at % spanMs)))].toSorted((a, b) => a - b)
  }

  /** Spans of which that holds: they are over, or the clock was set back. */
  #end(isOver: (until: number) => boolean): readonly TrafficSpan[] {
    const over = this.#starts().filter((from) => isOver(from + spanMs))
    const spans = over.flatMap((from) => this.#span(from))
    for (const from of over) {
      for (let place = 0; place < minutes; place++) this.#minutes.delete(from + place * minuteMs)
    }
    return spans
  }

  /** Empty: nobody asked for anything. */
  #span(from: number): readonly TrafficSpan[] {
    const own = Array.from({ length: minutes }, (_, place) => this.#minutes.get(from + place * minuteMs))
    const routes = sumUp(
      own.map((minute) => [...(minute?.routes ?? [])].map(([route, requests]) => ({ route, requests }))),
      ({ route }) => route,
    )
    if (routes.length === 0) return []
    const senders = sumUp(
      own.map((minute) => minute?.senders ?? []),
      idOf,
    )
    return [
      {
        from,
        until: from + spanMs,
        routes: routes
          .toSorted((a, b) => b.requests - a.requests)
          .slice(0, most.routes)
          .map(({ route, each }) => ({ route, requests: each })),
        senders: foremost(senders, most.senders).map(({ route, address, who, each }) => ({
          route,
          address,
          who,
          requests: each,
        })),
      },
    ]
  }
}

type Summed<T> = T & { readonly requests: number; readonly each: number[] }

/** Puts the same of several minutes side by side. */
function sumUp<T extends { readonly requests: number }>(
  byMinute: readonly (readonly T[])[],
  idOfOne: (one: T) => string,
): readonly Summed<T>[] {
  const sums = new Map<string, Summed<T>>()
  for (const [place, list] of byMinute.entries()) {
    for (const one of list) {
      if (one.requests === 0) continue
      const id = idOfOne(one)
      const before = sums.get(id)
      const each = before?.each ?? byMinute.map(() => 0)
      each[place] = (each[place] ?? 0) + one.requests
      sums.set(id, { ...one, requests: (before?.requests ?? 0) + one.requests, each })
    }
  }
  return [...sums.values()]
}
