import type { Explanation, Operations, RefusalSpell } from '../../contracts/index.ts'
import { harmless, plural, sayMoment, table, type Paper } from '../output/index.ts'
import type { Views } from './view.ts'

const spellColumns = [
  { title: 'LIMIT' },
  { title: 'RULE' },
  { title: 'FROM' },
  { title: 'UNTIL' },
  { title: 'REFUSED', align: 'right' },
  { title: 'ADMITTED', align: 'right' },
  { title: 'COUNTED AS' },
] as const

function withUnits(count: number, units: number | undefined): string {
  return units === undefined ? String(count) : `${count} (${plural(units, 'unit')})`
}

function spellRow(spell: RefusalSpell, { nowMs }: Paper): readonly string[] {
  const { limit, rule, from, until, refused, wouldRefuse, admitted, units, subject, ended } = spell
  return [
    limit,
    rule === '' ? 'a ban' : rule,
    sayMoment(from, nowMs),
    ended ? sayMoment(until, nowMs) : 'goes on',
    wouldRefuse > 0 && refused === 0 ? `(${wouldRefuse})` : withUnits(refused, units?.refused),
    withUnits(admitted, units?.admitted),
    subject === '' ? 'everybody' : subject,
  ]
}

const useColumns = [
  { title: 'MINUTE OR ROUTE' },
  { title: 'ADMITTED', align: 'right' },
  { title: 'REFUSED', align: 'right' },
] as const

/** What used up the nearest one, by route and by minute. */
function useLines({ routes, minutes }: RefusalSpell, paper: Paper): readonly string[] {
  const rows = [
    ...routes.map(({ route, admitted, refused }) => [route, String(admitted), String(refused)]),
    ...minutes.map(({ at, admitted, refused }) => [
      sayMoment(at, paper.nowMs),
      String(admitted),
      String(refused),
    ]),
  ]
  return ['', ...table(useColumns, rows, paper)]
}

const holdingColumns = [
  { title: 'WHAT' },
  { title: 'OF' },
  { title: 'SINCE' },
  { title: 'UNTIL' },
  { title: 'BY' },
  { title: 'BECAUSE' },
] as const

type Holding = Explanation['bans'][number] | Explanation['overrides'][number]

function holdingRow(each: Holding, { nowMs }: Paper): readonly string[] {
  const { subject, since, until, liftedAt, actor, because } = each
  const what = 'rule' in each ? `${each.limit}: ${each.rule}` : 'ban'
  const end = sayMoment(liftedAt ?? until, nowMs)
  return [
    what,
    subject,
    sayMoment(since, nowMs),
    liftedAt === null ? end : `lifted ${end}`,
    actor,
    harmless(because),
  ]
}

function explainLines(answer: Explanation, paper: Paper): readonly string[] {
  const { says, spells, bans, overrides } = answer
  const [nearest] = spells
  const holdings = [...bans, ...overrides]
  const rows = spells.map((spell) => spellRow(spell, paper))
  return [
    paper.paint('strong', harmless(says)),
    ...(rows.length === 0 ? [] : ['', ...table(spellColumns, rows, paper)]),
    ...(nearest === undefined ? [] : useLines(nearest, paper)),
    ...(nearest?.shared === undefined ? [] : ['', harmless(nearest.shared)]),
    ...(holdings.length === 0
      ? []
      : [
          '',
          ...table(
            holdingColumns,
            holdings.map((each) => holdingRow(each, paper)),
            paper,
          ),
        ]),
  ]
}

const offenderColumns = [
  { title: 'SUBJECT' },
  { title: 'REFUSED', align: 'right' },
  { title: 'ADMITTED', align: 'right' },
  { title: 'BY' },
] as const

const nearColumns = [
  { title: 'SUBJECT' },
  { title: 'IN USE', align: 'right' },
  { title: 'SAMPLES', align: 'right' },
  { title: 'LIMIT' },
  { title: 'RULE' },
] as const

const nameOf = (subject: string): string => (subject === '' ? 'everybody' : subject)

const senderColumns = [{ title: 'WHO' }, { title: 'REQUESTS', align: 'right' }, { title: 'ROUTE' }] as const

const sendersShown = 20

type Sender = Operations['edge.senders']['output']['spans'][number]['senders'][number]

/** Requests of all spans together, most first. */
function senderRows(senders: readonly Sender[]): readonly (readonly string[])[] {
  const sums = new Map<string, { readonly who: string; readonly route: string; requests: number }>()
  for (const { route, address, who, requests } of senders) {
    const name = who || `ip:${address}`
    const sum = sums.get(`${route}\n${name}`) ?? { who: name, route, requests: 0 }
    sum.requests += requests.reduce((total, each) => total + each, 0)
    sums.set(`${route}\n${name}`, sum)
  }
  return [...sums.values()]
    .toSorted((a, b) => b.requests - a.requests)
    .slice(0, sendersShown)
    .map(({ who, route, requests }) => [harmless(who), requests.toLocaleString('en-GB'), route])
}

/** How answers about refusals are drawn. */
export const explainViews = {
  'limits.explain': explainLines,
  'limits.offenders': ({ says, subjects }, paper) => [
    paper.paint('strong', harmless(says)),
    ...(subjects.length === 0 ? [] : ['']),
    ...table(
      offenderColumns,
      subjects.map(({ subject, refused, wouldRefuse, admitted, limits }) => [
        nameOf(subject),
        refused === 0 && wouldRefuse > 0 ? `(${wouldRefuse})` : String(refused),
        String(admitted),
        limits.length <= 2 ? limits.join(', ') : plural(limits.length, 'limit'),
      ]),
      paper,
    ),
  ],
  'edge.senders': ({ says, spans }, paper) => [
    paper.paint('strong', harmless(says)),
    ...(spans.length === 0 ? [] : ['']),
    ...table(senderColumns, senderRows(spans.flatMap(({ senders }) => senders)), paper),
  ],
  'edge.near-misses': ({ says, nearMisses }, paper) => [
    paper.paint('strong', harmless(says)),
    ...(nearMisses.length === 0 ? [] : ['']),
    ...table(
      nearColumns,
      nearMisses.map(({ subject, share, seen, limit, rule }) => [
        nameOf(subject),
        `${Math.round(share * 100)}%`,
        String(seen),
        limit,
        rule,
      ]),
      paper,
    ),
  ],
} satisfies Views
