import type { OffenderView } from '../../../contracts/limits/explain.ts'
import type { SaidMinute } from './spells.ts'

interface Span {
  readonly from: number
  readonly until: number
}

const most = { subjects: 50, limits: 50, limitsOfSubject: 20, steps: 120 } as const
const minuteMs = 60_000

interface Sum {
  refused: number
  wouldRefuse: number
  admitted: number
  readonly others: Set<string>
}

/** Sums up what the doors said by subject, by limit and over time. Pure. */
export function sumOffenders(minutes: readonly SaidMinute[], { from, until }: Span): OffenderView {
  const subjects = new Map<string, Sum>()
  const limits = new Map<string, Sum>()
  const stepMs = minuteMs * Math.max(1, Math.ceil((until - from) / minuteMs / most.steps))
  const first = from - (from % stepMs)
  const steps = Array.from({ length: Math.max(1, Math.ceil((until - first) / stepMs)) }, (_, index) => ({
    at: first + index * stepMs,
    refused: 0,
    admitted: 0,
  }))
  for (const { door, from: at, entries } of minutes) {
    const step = steps[Math.floor((at - first) / stepMs)]
    for (const entry of entries) {
      add(subjects, entry.subject, entry).others.add(entry.limit)
      add(limits, `${door}\n${entry.limit}`, entry).others.add(entry.subject)
      if (step === undefined) continue
      step.refused += entry.refused
      step.admitted += entry.admitted
    }
  }
  const view = {
    from,
    until,
    subjects: ranked(subjects, most.subjects).map(([subject, { others, ...sum }]) => ({
      subject,
      ...sum,
      limits: [...others].slice(0, most.limitsOfSubject),
    })),
    limits: ranked(limits, most.limits).map(([key, { others, ...sum }]) => {
      const [door, limit = ''] = key.split('\n')
      return {
        door: door === 'app' ? ('app' as const) : ('edge' as const),
        limit,
        ...sum,
        subjects: others.size,
      }
    }),
    steps,
    stepMs,
  }
  return { says: say(view), ...view }
}

function add(sums: Map<string, Sum>, key: string, entry: Omit<Sum, 'others'>): Sum {
  const sum = sums.get(key) ?? { refused: 0, wouldRefuse: 0, admitted: 0, others: new Set<string>() }
  sum.refused += entry.refused
  sum.wouldRefuse += entry.wouldRefuse
  sum.admitted += entry.admitted
  sums.set(key, sum)
  return sum
}

function ranked(sums: ReadonlyMap<string, Sum>, count: number): readonly (readonly [string, Sum])[] {
  const weight = ({ refused, wouldRefuse }: Sum): number => refused + wouldRefuse
  return [...sums].toSorted(([, a], [, b]) => weight(b) - weight(a)).slice(0, count)
}

function say({ subjects, limits, from, until }: Omit<OffenderView, 'says'>): string {
  const minutes = Math.round((until - from) / minuteMs)
  const [top] = subjects
  const refusing = limits.filter(({ refused }) => refused > 0).length
  if (top === undefined || refusing === 0) return `No limit refused anybody in the last ${minutes} min.`
  const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
  return `${count(refusing, 'limit')} refused ${count(subjects.length, 'subject')} in the last ${minutes} min; ${top.subject || 'everybody together'} most, ${top.refused.toLocaleString('en-GB')} times.`
}
