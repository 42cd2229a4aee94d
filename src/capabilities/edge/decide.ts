import type { EdgeReport } from '../../contracts/edge-policy.ts'

/** Something that goes on: since when, when last, how often. Times are those of reports. */
export interface Spell {
  readonly since: number
  readonly last: number
  readonly count: number
}

/** What goes on at the edge. */
export interface Ongoing {
  /** Limits that refuse, by `biteKey`. */
  readonly bites: Readonly<Record<string, Spell>>
  /** Services that do not answer. */
  readonly failing: Readonly<Record<string, Spell>>
  readonly flaps: Flaps
}

/** How a service came and went lately. A type, so that it is JSON. */
export type Flap = {
  /** So long nothing may fail before it is said to have recovered. */
  readonly holdMs: number
  /** When that was said last; null while it fails. */
  readonly recoveredAt: number | null
}

/** The flaps that are not forgotten yet, by service. */
export type Flaps = Readonly<Record<string, Flap>>

/** A limit began or ceased to refuse. */
export interface LimitSaying {
  readonly what: 'limit-bit' | 'limit-eased'
  readonly limit: string
  readonly rule: string
  readonly spell: Spell
}

/** A service began or ceased to fail. */
export interface OriginSaying {
  readonly what: 'origin-failed' | 'origin-recovered'
  readonly service: string
  readonly spell: Spell
}

/** What is to be said on the timeline. */
export type Saying = LimitSaying | OriginSaying

/** Nothing goes on. */
export const calm: Ongoing = { bites: {}, failing: {}, flaps: {} }

/** A limit has eased when it refused nothing for so long. */
export const quietMs = 60_000
/** A service has recovered when so long nothing failed, and something was answered; twice as long with each flap. */
const firstHoldMs = 10_000
/** Longest such time: whoever reads along hears at most a dozen times an hour of a service that flaps. */
const longestHoldMs = 300_000
/** One that was well for so long begins anew. */
const forgetMs = 600_000

/** Names a limit's rule. */
export function biteKey(limit: string, rule: string): string {
  return `${limit}\n${rule}`
}

/** What a second of the edge means: what begins and what ends is said, what goes on is not. Pure. */
export function decideSayings(
  ongoing: Ongoing,
  report: EdgeReport,
  serviceOf: ReadonlyMap<string, string>,
): { readonly ongoing: Ongoing; readonly sayings: readonly Saying[] } {
  const bites = decideBites(ongoing.bites, report)
  const failing = decideFailing(ongoing, report, serviceOf)
  return {
    ongoing: { bites: bites.spells, failing: failing.spells, flaps: failing.flaps },
    sayings: [...bites.sayings, ...failing.sayings],
  }
}

interface Decision {
  readonly spells: Readonly<Record<string, Spell>>
  readonly sayings: readonly Saying[]
}

function decideBites(before: Ongoing['bites'], report: EdgeReport): Decision {
  const spells = upTo(before, report.at)
  const sayings: Saying[] = []
  for (const { name, rule, refused } of report.limits) {
    if (refused === 0) continue
    const key = biteKey(name, rule)
    const spell = longer(spells[key], report.at, refused)
    if (spells[key] === undefined) sayings.push({ what: 'limit-bit', limit: name, rule, spell })
    spells[key] = spell
  }
  for (const [key, spell] of Object.entries(spells)) {
    if (report.at - spell.last < quietMs) continue
    delete spells[key]
    const [limit = '', rule = ''] = key.split('\n')
    sayings.push({ what: 'limit-eased', limit, rule, spell })
  }
  return { spells, sayings }
}

/**
 * What becomes of the flaps when it is said that a service failed or recovered. Pure: control knows them again after a
 * restart, from what was said.
 */
export function flapsAfter(
  flaps: Flaps,
  { what, service }: Pick<OriginSaying, 'what' | 'service'>,
  at: number,
): Flaps {
  const kept = Object.entries(flaps).filter(
    ([, { recoveredAt }]) => recoveredAt === null || at - recoveredAt < forgetMs,
  )
  const fresh = Object.fromEntries(kept)
  const before = fresh[service]
  const again = before === undefined ? firstHoldMs : Math.min(longestHoldMs, 2 * before.holdMs)
  fresh[service] =
    what === 'origin-failed'
      ? { holdMs: again, recoveredAt: null }
      : { holdMs: before?.holdMs ?? firstHoldMs, recoveredAt: at }
  return fresh
}

function decideFailing(
  before: Ongoing,
  report: EdgeReport,
  serviceOf: ReadonlyMap<string, string>,
): Decision & { readonly flaps: Flaps } {
  const spells = upTo(before.failing, report.at)
  let { flaps } = before
  const say = (saying: OriginSaying): void => {
    sayings.push(saying)
    flaps = flapsAfter(flaps, saying, report.at)
  }
  const holdOf = (service: string): number => flaps[service]?.holdMs ?? firstHoldMs
  const sayings: Saying[] = []
  for (const [service, { failures, answers }] of answersByService(report, serviceOf)) {
    const spell = spells[service]
    if (failures > 0) {
      spells[service] = longer(spell, report.at, failures)
      if (spell === undefined) say({ what: 'origin-failed', service, spell: spells[service] })
    } else if (spell !== undefined && answers > 0 && report.at - spell.last >= holdOf(service)) {
      delete spells[service]
      say({ what: 'origin-recovered', service, spell })
    }
  }
  return { spells, sayings, flaps }
}

/** Spells that end in the future stem from before the clock was set back; without this they would last until then. */
function upTo(spells: Readonly<Record<string, Spell>>, at: number): Record<string, Spell> {
  const known = Object.entries(spells).map(([key, { since, last, count }]) => {
    return [key, { since: Math.min(since, at), last: Math.min(last, at), count }] as const
  })
  return Object.fromEntries(known)
}

function longer(spell: Spell | undefined, at: number, count: number): Spell {
  return { since: spell?.since ?? at, last: at, count: (spell?.count ?? 0) + count }
}

function answersByService(
  report: EdgeReport,
  serviceOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, { readonly failures: number; readonly answers: number }> {
  const services = new Map<string, { failures: number; answers: number }>()
  for (const { route, originFailures, classes } of report.routes) {
    const service = serviceOf.get(route)
    if (service === undefined) continue
    const sum = services.get(service) ?? { failures: 0, answers: 0 }
    const answers = classes.reduce((total, count) => total + count, 0) - originFailures
    services.set(service, { failures: sum.failures + originFailures, answers: sum.answers + answers })
  }
  return services
}
