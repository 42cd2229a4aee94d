import type { TrafficSpan } from '../../../../contracts/edge.ts'
import type { RolledRequest } from './requests.ts'

const minuteMs = 60_000

/** As many requests as somebody, or all others, sent by a route in a minute. */
interface Share {
  readonly from: Omit<RolledRequest, 'atMs'>
  readonly requests: number
}

/**
 * The requests of a span in their order, each sender's spread evenly over the minute: the n-th of N in the middle of
 * the n-th of N parts. What a route had beyond its senders comes from nobody in particular.
 */
export function* rolledRequests({ from, until, routes, senders }: TrafficSpan): Generator<RolledRequest> {
  const minutes = Math.ceil((until - from) / minuteMs)
  for (let minute = 0; minute < minutes; minute++) {
    const known = new Map<string, number>()
    const shares: Share[] = []
    for (const { route, address, who, requests: each } of senders) {
      const requests = each[minute] ?? 0
      known.set(route, requests + (known.get(route) ?? 0))
      shares.push({ from: { route, sender: { address, who } }, requests })
    }
    for (const { route, requests: each } of routes) {
      // What is counted by samples may be too much.
      const requests = Math.max(0, (each[minute] ?? 0) - (known.get(route) ?? 0))
      shares.push({ from: { route, sender: null }, requests })
    }
    yield* spread(shares, from + minute * minuteMs)
  }
}

function* spread(shares: readonly Share[], startMs: number): Generator<RolledRequest> {
  const times = shares.flatMap(({ from, requests }) =>
    Array.from({ length: requests }, (_, index) => ({
      ...from,
      atMs: startMs + Math.floor(((index + 0.5) * minuteMs) / requests),
    })),
  )
  yield* times.sort((a, b) => a.atMs - b.atMs)
}
