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
}

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
export const calm: Ongoing = { bites: {}, failing: {} }

/** A limit has eased when it refused nothing for so long. */
export const quietMs = 60_000
/** A service has recovered when so long nothing failed, and something was answered. */
const steadyMs = 10_000

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
  const failing = decideFailing(ongoing.failing, report, serviceOf)
  return {
    ongoing: { bites: bites.spells, failing: failing.spells },
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

function decideFailing(
  before: Ongoing['failing'],
  report: EdgeReport,
  serviceOf: ReadonlyMap<string, string>,
): Decision {
  const spells = upTo(before, report.at)
  const sayings: Saying[] = []
  for (const [service, { failures, answers }] of answersByService(report, serviceOf)) {
    const spell = spells[service]
    if (failures > 0) {
      spells[service] = longer(spell, report.at, failures)
      if (spell === undefined) sayings.push({ what: 'origin-failed', service, spell: spells[service] })
    } else if (spell !== undefined && answers > 0 && report.at - spell.last >= steadyMs) {
      delete spells[service]
      sayings.push({ what: 'origin-recovered', service, spell })
    }
  }
  return { spells, sayings }
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
