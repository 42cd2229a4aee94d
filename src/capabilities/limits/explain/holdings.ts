import type { Explanation } from '../../../contracts/limits/explain.ts'
import { limitsFacts } from '../../../contracts/limits.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'

type Ban = Explanation['bans'][number]
type Override = Explanation['overrides'][number]

/** Bans and overrides as the timeline tells them, those that are over included. */
export interface Holdings {
  readonly bans: readonly Ban[]
  readonly overrides: readonly Override[]
}

/** The facts that say who was banned and who had another rule. */
export const holdingKinds = [
  limitsFacts.banned.kind,
  limitsFacts.unbanned.kind,
  limitsFacts.overrideSet.kind,
  limitsFacts.overrideLifted.kind,
] as const

interface Book {
  readonly bans: Ban[]
  readonly overrides: Override[]
}

/** Whatever is written anew or lifted ends what was there before. */
function end<T extends Ban | Override>(list: T[], isMeant: (each: T) => boolean, at: number): void {
  const index = list.findLastIndex((each) => isMeant(each) && each.liftedAt === null && each.until > at)
  const found = list[index]
  if (found !== undefined) list[index] = { ...found, liftedAt: at }
}

const steps: Readonly<Record<string, (book: Book, fact: Fact) => void>> = {
  [limitsFacts.banned.kind]: ({ bans }, { at, actor, data }) => {
    const said = limitsFacts.banned.data.parse(data)
    end(bans, ({ subject }) => subject === said.subject, at)
    bans.push({ ...said, since: at, actor, liftedAt: null, holds: false })
  },
  [limitsFacts.unbanned.kind]: ({ bans }, { at, data }) => {
    const said = limitsFacts.unbanned.data.parse(data)
    end(bans, ({ subject }) => subject === said.subject, at)
  },
  [limitsFacts.overrideSet.kind]: ({ overrides }, { at, actor, data }) => {
    const said = limitsFacts.overrideSet.data.parse(data)
    end(overrides, ({ limit, subject }) => limit === said.limit && subject === said.subject, at)
    overrides.push({ ...said, since: at, actor, liftedAt: null, holds: false })
  },
  [limitsFacts.overrideLifted.kind]: ({ overrides }, { at, data }) => {
    const said = limitsFacts.overrideLifted.data.parse(data)
    end(overrides, ({ limit, subject }) => limit === said.limit && subject === said.subject, at)
  },
}

/** Folds the facts, oldest first. Pure; a fact that was erased says nothing. */
export function holdingsOf(facts: readonly Fact[], nowMs: number): Holdings {
  const book: Book = { bans: [], overrides: [] }
  for (const fact of facts) if (fact.data !== null) steps[fact.kind]?.(book, fact)
  const judge = <T extends Ban | Override>(each: T): T => ({
    ...each,
    holds: each.liftedAt === null && each.until > nowMs,
  })
  return { bans: book.bans.map(judge), overrides: book.overrides.map(judge) }
}

/** When something ended, or will. */
export function endOf({ until, liftedAt }: Pick<Ban, 'until' | 'liftedAt'>): number {
  return Math.min(until, liftedAt ?? Number.POSITIVE_INFINITY)
}
