import type { ReplayResult } from '../../../server/replay/index.ts'
import type { JsonObject } from '../../../kernel/std/index.ts'
import { harmless, plural, table, type Paper } from '../../output/index.ts'
import type { Simulation } from './simulate.ts'

const topShown = 20

const count = (number: number): string => number.toLocaleString('en-GB')

function share(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %'
  const percent = (100 * part) / whole
  return percent < 0.01 ? '< 0.01 %' : `${Number(percent.toPrecision(2))} %`
}

function addresses({ refusedAddresses, addresses: all, isManyAddresses }: ReplayResult): string {
  const many = isManyAddresses ? 'at least ' : ''
  return `${count(refusedAddresses)} of ${many}${count(all)} address${all === 1 ? '' : 'es'}`
}

/** The answer in a sentence. */
export function saySimulation({ source, changed, present, lines, bad }: Simulation): string {
  if (changed.requests === 0) {
    if (source === 'roll-ups') return 'Nothing is recorded since then.'
    return lines === 0
      ? 'The log is empty.'
      : `None of the ${count(lines)} lines is a request that can be read.`
  }
  const would = `Would refuse ${share(changed.refused, changed.requests)} of ${count(changed.requests)} requests, ${addresses(changed)}${source === 'roll-ups' ? ' that are known' : ''}`
  const today = present === null ? '' : `; today ${share(present.refused, present.requests)}`
  const skipped = bad.count === 0 ? '' : ` ${plural(bad.count, 'line')} could not be read.`
  return `${would}${today}.${skipped}`
}

const limitColumns = [
  { title: 'LIMIT' },
  { title: 'RULE' },
  { title: 'ADMITTED', align: 'right' },
  { title: 'REFUSED', align: 'right' },
] as const

function limitRows({ changed, present }: Simulation): readonly (readonly string[])[] {
  const todayOf = (name: string, rule: string): string => {
    const found = present?.limits.find((each) => each.name === name && each.rule === rule)
    return found === undefined ? '-' : count(found.refused + found.wouldRefuse)
  }
  return changed.limits
    .filter(({ admitted, refused, wouldRefuse }) => admitted + refused + wouldRefuse > 0)
    .map(({ name, rule, admitted, refused, wouldRefuse }) => [
      name,
      rule,
      count(admitted),
      count(refused + wouldRefuse),
      ...(present === null ? [] : [todayOf(name, rule)]),
    ])
}

const topColumns = [
  { title: 'SUBJECT' },
  { title: 'REFUSED', align: 'right' },
  { title: 'BY' },
  { title: 'RULE' },
] as const

/** What has to be known to read the numbers rightly. */
function remarks(simulation: Simulation): readonly string[] {
  const { source, changed, disorderly, bad } = simulation
  return [
    ...(source === 'roll-ups' ? remarksOnRollUps(simulation) : []),
    ...bad.first.map(({ line, text }) => `line ${line} could not be read: ${harmless(text)}`),
    ...(changed.waited === 0
      ? []
      : [`${plural(changed.waited, 'request')} would have waited in a queue and are not counted as refused`]),
    ...(changed.unmatched === 0 ? [] : [`${plural(changed.unmatched, 'request')} matched no route`]),
    ...(disorderly === 0
      ? []
      : [
          `${plural(disorderly, 'request')} came more than a minute before an earlier line: name older logs first`,
        ]),
    ...remarksOnDurations(changed),
  ]
}

function remarksOnDurations({ passedOver }: ReplayResult): readonly string[] {
  const { requests, rules } = passedOver
  if (rules.length === 0) return []
  return [
    `the log does not say how long ${plural(requests, 'request')} took; these were not counted by what counts at once: ${rules.join(', ')}`,
  ]
}

const mostNamed = 5

function names(list: readonly string[]): string {
  const more = list.length - mostNamed
  return `${list.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** What roll-ups know, and what they do not. */
function remarksOnRollUps({ changed, from, until }: Simulation): readonly string[] {
  const { requests, ofSenders, unknowable, quietRoutes } = changed
  if (requests === 0) return []
  const minutes = Math.round(((until ?? 0) - (from ?? 0)) / 60_000)
  return [
    `this stands on what the edge recorded in ${plural(minutes, 'minute')}: of each five the 32 who sent most, ${share(ofSenders, requests)} of all requests; all others count only where a rule counts everybody together`,
    'the requests of a minute were spread evenly over it: who sends them at one instant is refused sooner',
    'limits of applications (app.*) were not tried: of them only those are recorded who were refused',
    ...(unknowable.length === 0
      ? []
      : [`these count by what is not recorded and were passed over: ${unknowable.join(', ')}`]),
    ...(quietRoutes.length === 0
      ? []
      : [
          `nothing is recorded of these routes; what would have come by a new one came by another: ${names(quietRoutes)}`,
        ]),
  ]
}

/** For people. */
export function simulationLines(simulation: Simulation, paper: Paper): readonly string[] {
  const { changed, present } = simulation
  const rows = limitRows(simulation)
  const columns =
    present === null ? limitColumns : [...limitColumns, { title: 'TODAY', align: 'right' } as const]
  const top = changed.top
    .slice(0, topShown)
    .map(({ subject, refused, limit, rule }) => [
      harmless(subject || 'everybody'),
      count(refused),
      limit,
      rule,
    ])
  return [
    paper.paint('strong', saySimulation(simulation)),
    ...(rows.length === 0 ? [] : ['', ...table(columns, rows, paper)]),
    ...(top.length === 0 ? [] : ['', ...table(topColumns, top, paper)]),
    ...(remarks(simulation).length === 0 ? [] : ['', ...remarks(simulation)]),
  ]
}

/** For programs. */
export function simulationDocument(simulation: Simulation): JsonObject {
  return { says: saySimulation(simulation), ...simulation } as unknown as JsonObject
}
