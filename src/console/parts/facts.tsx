import { useMemo, type ReactNode } from 'react'
import type { Operations } from '../../contracts/index.ts'
import { useNow, usePoll } from '../data/house.ts'
import { placeOf } from '../router/router.ts'
import { sayAgo, sayMoment, sayTime } from '../words/format.ts'
import { Empty, Section, StateMark, type State } from './basics.tsx'

/** A fact as it leaves the house. */
export type Fact = Operations['timeline.read']['output']['facts'][number]

const severities: Readonly<Record<Fact['severity'], State>> = {
  info: 'idle',
  notice: 'note',
  warning: 'warn',
  critical: 'bad',
}

/** How bad a fact is, as a mark with its word. */
export function SeverityMark({ severity }: { severity: Fact['severity'] }): ReactNode {
  return <StateMark state={severities[severity]} label={severity} />
}

/** Where a subject leads: `service:web` and `replica:web/1` to the service, the rest to its facts. */
export function hrefOfSubject(subject: string): string {
  const [what, name = ''] = subject.split(/:(.*)/s)
  if (what === 'service') return placeOf(['services', name])
  if (what === 'replica') return placeOf(['services', name.split('/')[0] ?? ''])
  return placeOf(['timeline'], { subject })
}

/** A few facts, newest first, each leading to its place on the timeline. */
export function FactList({ facts, now }: { facts: readonly Fact[]; now: number }): ReactNode {
  return (
    <ol className="fact-list">
      {facts.map((fact) => (
        <li key={fact.sequence}>
          <SeverityMark severity={fact.severity} />
          <a href={placeOf(['timeline'], { fact: String(fact.sequence) })}>{fact.says}</a>
          <time dateTime={new Date(fact.at).toISOString()} title={sayMoment(fact.at)}>
            {now - fact.at < 3_600_000 ? sayAgo(fact.at, now) : sayTime(fact.at)}
          </time>
        </li>
      ))}
    </ol>
  )
}

/** The last facts about a subject, and the way to all of them; `never` is said when there are none. */
export function Happened({
  subject,
  never = 'Nothing yet.',
}: {
  subject: string
  never?: string
}): ReactNode {
  const now = useNow(1000)
  const facts = usePoll('timeline.read', { subject, limit: 10 }, { periodMs: 4000 }).data?.facts
  const newestFirst = useMemo(() => (facts ?? []).toReversed(), [facts])
  return (
    <Section title="What happened to it" aside={<a href={placeOf(['timeline'], { subject })}>All of it</a>}>
      {facts !== undefined && newestFirst.length === 0 && <Empty says={never} command="holdfast timeline" />}
      <FactList facts={newestFirst} now={now} />
    </Section>
  )
}
