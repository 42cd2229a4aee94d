import type { EdgeBan } from '../../contracts/edge-policy.ts'
import { limitsFacts } from '../../contracts/limits.ts'
import type { Fold } from '../../kernel/timeline/index.ts'

/** Who is banned, by subject. A type, so that it is JSON. */
export type BanView = {
  readonly bans: Readonly<Record<string, { readonly until: number; readonly because: string }>>
}

/** Bans that a policy holds at the most; beyond it those that end first are dropped. */
export const mostBans = 10_000

type Bans = BanView['bans']

function banned(bans: Bans, data: Readonly<Record<string, unknown>>, at: number): Bans {
  const { subject, until, because } = data
  if (typeof subject !== 'string' || typeof until !== 'number') return bans
  const known = Object.entries(bans).filter(([name, ban]) => ban.until > at && name !== subject)
  const ban = { until, because: typeof because === 'string' ? because : '' }
  const all = [...known, [subject, ban] as const]
  const kept = all.length <= mostBans ? all : all.sort(([, a], [, b]) => b.until - a.until).slice(0, mostBans)
  return Object.fromEntries(kept)
}

function unbanned(bans: Bans, subject: unknown): Bans {
  return Object.fromEntries(Object.entries(bans).filter(([name]) => name !== subject))
}

/** The fold of bans: what the capability of limits records, the edge keeps out. */
export const banFold: Fold<BanView> = {
  name: 'edge-bans@1',
  initial: { bans: {} },
  step: (state, { kind, data, at }) => {
    if (kind === limitsFacts.banned.kind) return { bans: banned(state.bans, data ?? {}, at) }
    if (kind === limitsFacts.unbanned.kind) return { bans: unbanned(state.bans, data?.['subject']) }
    return state
  },
}

/** Bans as a policy has them; in the order of subjects, so that the same bans make the same policy. */
export function bansOf({ bans }: BanView): readonly EdgeBan[] {
  return Object.keys(bans)
    .sort()
    .flatMap((subject) => {
      const ban = bans[subject]
      return ban === undefined ? [] : [{ subject, ...ban }]
    })
}

/** Whether a fact of this kind changes who is banned. */
export function changesBans(kind: string): boolean {
  return kind === limitsFacts.banned.kind || kind === limitsFacts.unbanned.kind
}
