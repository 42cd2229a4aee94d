import type { CounterAsk, CounterOutcome } from '../../ports.ts'
import type { SharedTake, SharedVerdict } from './port.ts'

/** Says nothing against it. */
export function unhindered(nowMs: number): SharedVerdict {
  return {
    admitted: true,
    refusedBy: -1,
    retryAfterMs: 0,
    remaining: Number.POSITIVE_INFINITY,
    tightest: -1,
    resetsAtMs: nowMs,
    wouldRefuse: [],
    lease: null,
  }
}

/** A refusal by one limit. */
export function refusal(
  limit: number,
  { retryAfterMs, remaining }: { readonly retryAfterMs: number; readonly remaining: number },
  nowMs: number,
): SharedVerdict {
  const resetsAtMs = nowMs + retryAfterMs
  const tight = { tightest: limit, remaining, resetsAtMs }
  return { ...unhindered(nowMs), admitted: false, refusedBy: limit, retryAfterMs, ...tight }
}

/** One take as it was asked for. */
interface Asked {
  readonly take: SharedTake
  readonly ask: CounterAsk
}

/** What the store's outcomes mean for the request. */
export function verdictOf(
  asked: readonly Asked[],
  outcomes: readonly CounterOutcome[],
  nowMs: number,
): SharedVerdict {
  const decided = asked.map(({ take, ask }, index) => ({
    limit: take.limit,
    ask,
    ...(outcomes[index] ?? free),
  }))
  const earnest = decided.filter(({ ask }) => !ask.isDryRun)
  const tightest = earnest.toSorted((a, b) => a.remaining - b.remaining)[0] ?? nobody
  const refuser = earnest.toSorted((a, b) => b.waitMs - a.waitMs)[0] ?? nobody
  const admitted = refuser.waitMs === 0
  const held = asked.map(({ ask }) => ask).filter(({ lease }) => admitted && lease !== '')
  return {
    admitted,
    refusedBy: admitted ? -1 : refuser.limit,
    retryAfterMs: refuser.waitMs,
    remaining: tightest.remaining,
    tightest: tightest.limit,
    resetsAtMs: nowMs + tightest.resetMs,
    wouldRefuse: decided.filter(({ ask, waitMs }) => ask.isDryRun && waitMs > 0).map(({ limit }) => limit),
    lease: held.length === 0 ? null : { asks: held, alone: [], takenAtMs: 0 },
  }
}

const free: CounterOutcome = { waitMs: 0, remaining: Number.POSITIVE_INFINITY, granted: 0, resetMs: 0 }
const nobody = { limit: -1, ...free }
