import type { RefusalSpell } from '../../../contracts/limits/explain.ts'
import { limitsFacts, type RefusedEntry } from '../../../contracts/limits.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'

/** What a door said of one minute. */
export interface SaidMinute {
  readonly door: RefusalSpell['door']
  readonly from: number
  readonly until: number
  readonly entries: readonly RefusedEntry[]
}

/** What refusal facts say; one that was erased says nothing. */
export function saidMinutes(facts: readonly Fact[]): readonly SaidMinute[] {
  return facts.flatMap(({ data }) => {
    const parsed = limitsFacts.refused.data.safeParse(data)
    return parsed.success ? [parsed.data] : []
  })
}

/** Refusals belong together unless more than so long passes between them. */
const quietMs = 120_000
const most = { spells: 100, minutes: 150, routes: 20 } as const

type Spell = Omit<RefusalSpell, 'allows' | 'shared' | 'ended'>

interface Piece {
  readonly minute: SaidMinute
  readonly entry: RefusedEntry
}

/** Times in which limits refused those whom `concerns` names, the nearest to `at` first. Pure. */
export function findSpells(
  minutes: readonly SaidMinute[],
  {
    at,
    nowMs,
    concerns,
  }: { readonly at: number; readonly nowMs: number; readonly concerns: (entry: RefusedEntry) => boolean },
): readonly Omit<RefusalSpell, 'allows' | 'shared'>[] {
  const series = new Map<string, Piece[]>()
  for (const minute of minutes.toSorted((a, b) => a.from - b.from)) {
    for (const entry of minute.entries) {
      if (!concerns(entry) || entry.refused + entry.wouldRefuse === 0) continue
      const key = [minute.door, entry.limit, entry.rule, entry.subject].join('\n')
      series.set(key, [...(series.get(key) ?? []), { minute, entry }])
    }
  }
  const spells = [...series.values()].flatMap((pieces) => split(pieces).map(spellOf))
  const distance = ({ from, until }: Spell): number => Math.max(0, from - at, at - until)
  const order = (a: Spell, b: Spell): number => distance(a) - distance(b) || b.refused - a.refused
  return spells
    .toSorted(order)
    .slice(0, most.spells)
    .map((spell) => ({ ...spell, ended: nowMs - spell.until > quietMs }))
}

/** Pieces that belong together: the first, and whatever follows. */
type Run = [Piece, ...Piece[]]

function split(pieces: readonly Piece[]): readonly Run[] {
  const runs: Run[] = []
  for (const piece of pieces) {
    const last = runs.at(-1)
    const before = last?.at(-1)?.minute.until ?? Number.NEGATIVE_INFINITY
    if (last === undefined || piece.minute.from - before > quietMs) runs.push([piece])
    else last.push(piece)
  }
  return runs
}

function spellOf(pieces: Run): Spell {
  const [{ minute: first, entry }] = pieces
  const sum = (field: 'refused' | 'admitted' | 'wouldRefuse'): number =>
    pieces.reduce((total, each) => total + each.entry[field], 0)
  return {
    door: first.door,
    limit: entry.limit,
    rule: entry.rule,
    subject: entry.subject,
    from: first.from,
    until: pieces.at(-1)?.minute.until ?? first.until,
    refused: sum('refused'),
    admitted: sum('admitted'),
    wouldRefuse: sum('wouldRefuse'),
    ...unitsOf(pieces),
    routes: sumRoutes(pieces.flatMap((each) => each.entry.routes)),
    minutes: pieces
      .map((each) => ({ at: each.minute.from, refused: each.entry.refused, admitted: each.entry.admitted }))
      .slice(-most.minutes),
  }
}

/** Nothing: each took one unit. */
function unitsOf(pieces: Run): Pick<Spell, 'units'> {
  if (pieces.every(({ entry }) => entry.units === undefined)) return {}
  const sum = (field: 'refused' | 'admitted' | 'wouldRefuse'): number =>
    pieces.reduce((total, { entry }) => total + (entry.units ?? entry)[field], 0)
  return {
    units: { refused: sum('refused'), admitted: sum('admitted'), wouldRefuse: sum('wouldRefuse') },
  }
}

function sumRoutes(routes: RefusedEntry['routes']): RefusedEntry['routes'] {
  const sums = new Map<string, RefusedEntry['routes'][number]>()
  for (const { route, admitted, refused } of routes) {
    const before = sums.get(route) ?? { admitted: 0, refused: 0 }
    sums.set(route, { route, admitted: before.admitted + admitted, refused: before.refused + refused })
  }
  const use = (each: RefusedEntry['routes'][number]): number => each.admitted + each.refused
  return [...sums.values()].toSorted((a, b) => use(b) - use(a)).slice(0, most.routes)
}
