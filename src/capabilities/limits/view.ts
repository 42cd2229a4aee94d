import { limitsFacts } from '../../contracts/limits.ts'
import type { Fact, Fold } from '../../kernel/timeline/index.ts'

/** A ban or an override: until when, why, since when and by whom. */
export type Holding = {
  readonly until: number
  readonly because: string
  readonly since: number
  readonly actor: string
}

/** A ban of a subject. */
export type Ban = Holding & { readonly subject: string }

/** Another rule for a subject. */
export type Override = Holding & { readonly limit: string; readonly subject: string; readonly rule: string }

/** What people decided about limits. Both expire by the clock: who reads compares `until`. */
export type LimitsState = {
  /** By subject. */
  readonly bans: { readonly [subject: string]: Ban }
  /** By `overrideKey`. */
  readonly overrides: { readonly [key: string]: Override }
}

/** At most this many of each; one more is refused. */
export const limitsBounds = { bans: 10_000, overrides: 1000 } as const

/** Finds an override: full name of the limit, and the subject. */
export function overrideKey(limit: string, subject: string): string {
  return `${limit} ${subject}`
}

type Entries<T> = { readonly [key: string]: T }

function without<T>(all: Entries<T>, key: string): Entries<T> {
  const { [key]: _gone, ...rest } = all
  return rest
}

/** Adds one and drops what has expired. */
function withNew<T extends Holding>(all: Entries<T>, key: string, value: T): Entries<T> {
  const alive = Object.entries(without(all, key)).filter(([, { until }]) => until > value.since)
  return Object.fromEntries([...alive, [key, value]])
}

type Step = (state: LimitsState, fact: Fact) => LimitsState

const steps: Readonly<Record<string, Step>> = {
  [limitsFacts.banned.kind]: (state, { at, actor, data }) => {
    const { subject, until, because } = limitsFacts.banned.data.parse(data)
    const ban = { subject, until, because, since: at, actor }
    return { ...state, bans: withNew(state.bans, subject, ban) }
  },
  [limitsFacts.unbanned.kind]: (state, { data }) => {
    const { subject } = limitsFacts.unbanned.data.parse(data)
    return { ...state, bans: without(state.bans, subject) }
  },
  [limitsFacts.overrideSet.kind]: (state, { at, actor, data }) => {
    const { limit, subject, rule, until, because } = limitsFacts.overrideSet.data.parse(data)
    const override = { limit, subject, rule, until, because, since: at, actor }
    return { ...state, overrides: withNew(state.overrides, overrideKey(limit, subject), override) }
  },
  [limitsFacts.overrideLifted.kind]: (state, { data }) => {
    const { limit, subject } = limitsFacts.overrideLifted.data.parse(data)
    return { ...state, overrides: without(state.overrides, overrideKey(limit, subject)) }
  },
}

/** Bans and overrides as a fold of their facts. An erased fact says nothing. */
export const limitsFold: Fold<LimitsState> = {
  name: 'limits@1',
  initial: { bans: {}, overrides: {} },
  step: (state, fact) => {
    if (fact.data === null) return state
    return steps[fact.kind]?.(state, fact) ?? state
  },
}
