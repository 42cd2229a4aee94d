import { HoldfastError } from '../../../../kernel/std/index.ts'
import type { CounterAsk, CounterOutcome, CounterStore } from '../../ports.ts'

/** A store of rates in memory, in whole numbers, whose time and whose answers a test owns. */
export interface ModelStore extends CounterStore {
  /** What it does with what it is asked. */
  behaviour: 'answers' | 'fails'
  /** How many calls it got. */
  calls: number
  /** Units that were admitted by asking, with the times at which it decided. */
  readonly admitted: { readonly atMs: number; readonly units: number }[]
}

/** What a model store stands in. */
export interface ModelGround {
  readonly now: () => number
  /** Resolves when a message that is sent now has arrived. */
  readonly travel: () => Promise<void>
}

const down = (): HoldfastError =>
  new HoldfastError({ code: 'edge.counters-unreachable', kind: 'operational', message: 'It is down.' })

/** Creates a model store. Times and costs are whole; debts are kept in milliseconds times the count. */
export function createModelStore({ now, travel }: ModelGround): ModelStore {
  const paidAt = new Map<string, number>()
  const decide = ({ limit, key, form, cost, want }: CounterAsk, take: boolean): CounterOutcome => {
    if (form.kind !== 'rate') throw new Error(`the model knows no ${form.kind}`)
    const { count, periodMs, burst } = form
    const name = `${limit} ${key}`
    const scaledNow = now() * count
    const owes = Math.max(0, (paidAt.get(name) ?? 0) - scaledNow)
    const left = Math.max(0, Math.floor((burst * periodMs - owes) / periodMs))
    const granted = left >= cost ? Math.min(want, left) : 0
    if (take && granted > 0) paidAt.set(name, scaledNow + owes + granted * periodMs)
    const missing = owes + cost * periodMs - burst * periodMs
    const waitMs = left >= cost ? 0 : Math.ceil(missing / count)
    return { waitMs, remaining: left - granted, granted, resetMs: Math.ceil(owes / count) }
  }
  const store: ModelStore = {
    behaviour: 'answers',
    calls: 0,
    admitted: [],
    take: async (asks) => {
      store.calls++
      await travel()
      if (store.behaviour !== 'answers') throw down()
      const isRefused = asks.some((ask) => decide(ask, false).waitMs > 0 && !ask.isDryRun)
      const outcomes = asks.map((ask) => decide(ask, !isRefused))
      if (!isRefused) store.admitted.push(...asks.map(({ cost }) => ({ atMs: now(), units: cost })))
      await travel()
      return isRefused ? outcomes.map((outcome) => ({ ...outcome, granted: 0 })) : outcomes
    },
    release: () => Promise.resolve(),
    renew: () => Promise.resolve(true),
    probe: async () => {
      store.calls++
      await travel()
      if (store.behaviour !== 'answers') throw down()
    },
    setPassword: () => undefined,
    close: () => undefined,
  }
  return store
}
