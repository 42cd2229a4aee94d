import { accessFacts } from '../../../contracts/index.ts'
import type { Fact, Fold } from '../../../kernel/timeline/index.ts'

/** A role: what somebody may do. */
export type Role = 'use' | 'view' | 'operate' | 'administer'

/** A token of a program. */
export type StoredToken = {
  readonly hash: string
  readonly role: Role
  readonly createdAt: number
  /** Null: never. */
  readonly expiresAt: number | null
}

/** A sign-in link or a session. */
export type StoredGrant = { readonly actor: string; readonly role: Role; readonly expiresAt: number }

/** Who may come in, by what they show. Links and sessions are keyed by the hash of their token. */
export type AccessState = {
  readonly tokens: { readonly [name: string]: StoredToken }
  readonly links: { readonly [hash: string]: StoredGrant }
  readonly sessions: { readonly [hash: string]: StoredGrant }
}

/** At most this many of each; the oldest link or session gives way, a token more is refused. */
export const accessBounds = { tokens: 500, links: 500, sessions: 5000 } as const

type Expiring = { readonly expiresAt: number | null }

function without<T>(all: { readonly [key: string]: T }, key: string): { readonly [key: string]: T } {
  const { [key]: _gone, ...rest } = all
  return rest
}

/** Adds one, drops what has expired, and the oldest beyond the bound. */
function withNew<T extends Expiring>(
  all: { readonly [key: string]: T },
  added: { readonly key: string; readonly value: T },
  rules: { readonly at: number; readonly bound: number },
): { readonly [key: string]: T } {
  const alive = Object.entries(without(all, added.key)).filter(
    ([, { expiresAt }]) => expiresAt === null || expiresAt > rules.at,
  )
  const kept: [string, T][] = [...alive, [added.key, added.value]]
  return Object.fromEntries(kept.slice(-rules.bound))
}

type Step = (state: AccessState, fact: Fact) => AccessState

const steps: Readonly<Record<string, Step>> = {
  [accessFacts.tokenCreated.kind]: (state, { at, data }) => {
    const { name, role, hash, expiresAt } = accessFacts.tokenCreated.data.parse(data)
    const added = { key: name, value: { hash, role, createdAt: at, expiresAt } }
    return { ...state, tokens: withNew(state.tokens, added, { at, bound: accessBounds.tokens }) }
  },
  [accessFacts.tokenRevoked.kind]: (state, { data }) => {
    const { name } = accessFacts.tokenRevoked.data.parse(data)
    return { ...state, tokens: without(state.tokens, name) }
  },
  [accessFacts.linkCreated.kind]: (state, { at, data }) => {
    const { actor, role, hash, expiresAt } = accessFacts.linkCreated.data.parse(data)
    const added = { key: hash, value: { actor, role, expiresAt } }
    return { ...state, links: withNew(state.links, added, { at, bound: accessBounds.links }) }
  },
  [accessFacts.sessionStarted.kind]: (state, { at, data }) => {
    const { actor, role, hash, linkHash, expiresAt } = accessFacts.sessionStarted.data.parse(data)
    const added = { key: hash, value: { actor, role, expiresAt } }
    const sessions = withNew(state.sessions, added, { at, bound: accessBounds.sessions })
    return { ...state, links: without(state.links, linkHash), sessions }
  },
  [accessFacts.sessionEnded.kind]: (state, { data }) => {
    const { hash } = accessFacts.sessionEnded.data.parse(data)
    return { ...state, sessions: without(state.sessions, hash) }
  },
}

/** Access as a fold of its facts. An erased fact says nothing, so facts of access are never erased (see timeline.erase). */
export const accessFold: Fold<AccessState> = {
  name: 'access@1',
  initial: { tokens: {}, links: {}, sessions: {} },
  step: (state, fact) => {
    if (fact.data === null) return state
    return steps[fact.kind]?.(state, fact) ?? state
  },
}
