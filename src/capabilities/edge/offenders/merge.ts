import type { NearMiss } from '../../../contracts/edge.ts'
import type { RefusedEntry } from '../../../contracts/limits.ts'

/** Whom limits refused and who came near them. */
export interface Offenders {
  readonly offenders: readonly RefusedEntry[]
  readonly nearMisses: readonly NearMiss[]
}

/** Stands for routes that are not told apart. */
export const otherRoutes = '(others)'

/** So many offenders and near misses are kept. */
export interface Most {
  readonly offenders: number
  readonly nearMisses: number
}

/** As in `refusedEntry`. */
const mostRoutes = 20

type Named = Pick<RefusedEntry, 'limit' | 'rule' | 'subject'>

const idOf = ({ limit, rule, subject }: Named): string => `${limit}\n${rule}\n${subject}`

/** Puts together what was seen in several places or at several times, those who were refused most first. */
export function mergeOffenders(all: readonly Offenders[], most: Most): Offenders {
  const offenders = merged(
    all.flatMap((each) => each.offenders),
    sumOffenders,
  )
  const nearMisses = merged(
    all.flatMap((each) => each.nearMisses),
    sumNearMisses,
  )
  return {
    offenders: offenders.toSorted((a, b) => weight(b) - weight(a)).slice(0, most.offenders),
    nearMisses: nearMisses.toSorted((a, b) => b.share - a.share).slice(0, most.nearMisses),
  }
}

const weight = ({ refused, wouldRefuse }: RefusedEntry): number => refused + wouldRefuse

function merged<T extends Named>(list: readonly T[], sum: (one: T, other: T) => T): T[] {
  const known = new Map<string, T>()
  for (const each of list) {
    const id = idOf(each)
    const before = known.get(id)
    known.set(id, before === undefined ? each : sum(before, each))
  }
  return [...known.values()]
}

function sumNearMisses(one: NearMiss, other: NearMiss): NearMiss {
  return { ...one, seen: one.seen + other.seen, share: Math.max(one.share, other.share) }
}

function sumOffenders(one: RefusedEntry, other: RefusedEntry): RefusedEntry {
  return {
    ...one,
    refused: one.refused + other.refused,
    admitted: one.admitted + other.admitted,
    wouldRefuse: one.wouldRefuse + other.wouldRefuse,
    ...sumUnits(one, other),
    routes: sumRoutes([...one.routes, ...other.routes]),
  }
}

function sumUnits(one: RefusedEntry, other: RefusedEntry): Pick<RefusedEntry, 'units'> {
  if (one.units === undefined && other.units === undefined) return {}
  const [a, b] = [one.units ?? one, other.units ?? other]
  return {
    units: {
      refused: a.refused + b.refused,
      admitted: a.admitted + b.admitted,
      wouldRefuse: a.wouldRefuse + b.wouldRefuse,
    },
  }
}

function sumRoutes(routes: RefusedEntry['routes']): RefusedEntry['routes'] {
  const known = new Map<string, RefusedEntry['routes'][number]>()
  for (const { route, admitted, refused } of routes) {
    const name = known.has(route) || known.size < mostRoutes - 1 ? route : otherRoutes
    const before = known.get(name)
    known.set(name, {
      route: name,
      admitted: admitted + (before?.admitted ?? 0),
      refused: refused + (before?.refused ?? 0),
    })
  }
  return [...known.values()]
}
