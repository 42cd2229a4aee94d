import { useMemo, useState, type ReactNode } from 'react'
import { useNow } from '../../data/house.ts'
import type { PageProps } from '../../parts/page-props.ts'
import { PageHead, type Piece } from '../../parts/answer.tsx'
import { Button, Empty, ErrorNote, Loading } from '../../parts/basics.tsx'
import type { Fact } from '../../parts/facts.tsx'
import { Filter } from '../../parts/filter.tsx'
import { amend, placeOf } from '../../router/router.ts'
import { sayGoOn } from '../../words/answers.ts'
import { sayAgo, sayDay, sayThings } from '../../words/format.ts'
import { rankMatches } from '../../words/match.ts'
import { FactRow } from './fact-row.tsx'
import { TimelineFilters } from './filters.tsx'
import { useFacts, type Facts, type Filters } from './use-facts.ts'
import { VerifyButton } from './verify.tsx'

const filtersOf = (query: URLSearchParams): Filters => ({
  kind: query.get('kind') ?? '',
  subject: query.get('subject') ?? '',
  severity: query.get('severity') ?? '',
  correlation: query.get('correlation') ?? '',
  within: query.get('within') ?? '',
})

function answerOf({ facts, loaded }: Facts, filtered: boolean, now: number): readonly Piece[] {
  const last = facts.at(-1)
  if (!loaded) return [{ text: 'Looking …' }]
  if (last === undefined) return [{ text: filtered ? 'No such fact.' : 'Nothing has happened yet.' }]
  const grave = facts.filter(({ severity }) => severity === 'critical' || severity === 'warning').length
  const bad = grave === 0 ? 'Nothing bad' : sayThings(grave, 'warning or worse', 'warnings or worse')
  const among = `${bad} among ${sayThings(facts.length, 'fact')}`
  return [{ text: `${among}; the last one ${sayAgo(last.at, now)}.` }]
}

const matches = (text: string, facts: readonly Fact[]): readonly Fact[] => {
  if (text.trim() === '') return facts
  const found = new Set(rankMatches(text, facts, (f) => `${f.says} ${f.kind} ${f.subject ?? ''} ${f.actor}`))
  return facts.filter((fact) => found.has(fact))
}

/** What happened? */
export function TimelinePage({ query }: PageProps): ReactNode {
  const filters = filtersOf(query)
  const now = useNow(1000)
  const facts = useFacts(filters)
  const [text, setText] = useState('')
  const [heldAt, setHeldAt] = useState<number | null>(null)
  const filtered = Object.values(filters).some((value) => value !== '')
  const upTo = heldAt ?? Infinity
  const shown = useMemo(
    () =>
      matches(
        text,
        facts.facts.filter(({ sequence }) => sequence <= upTo),
      ).toReversed(),
    [facts.facts, text, upTo],
  )
  const newer = facts.facts.filter(({ sequence }) => sequence > upTo).length
  const change = (changed: Partial<Filters>): void => amend(placeOf(['timeline'], { ...filters, ...changed }))
  const toggle = (): void => setHeldAt(heldAt === null ? (facts.facts.at(-1)?.sequence ?? 0) : null)
  return (
    <>
      <PageHead title="Timeline" answer={answerOf(facts, filtered, now)} actions={<VerifyButton />} />
      <div className="tools">
        <Filter label="Filter by text" value={text} onChange={setText} count={shown.length} />
        <TimelineFilters filters={filters} facts={facts.facts} change={change} />
        <Button icon={heldAt === null ? 'pause' : 'play'} onClick={toggle}>
          {heldAt === null ? 'Pause' : sayGoOn(newer)}
        </Button>
      </div>
      <NothingShown facts={facts} shown={shown.length} />
      <Days facts={shown} open={query.get('fact')} />
      {facts.loadOlder !== null && (
        <p className="more">
          <Button onClick={facts.loadOlder}>Show older facts</Button>
        </p>
      )}
    </>
  )
}

function NothingShown({ facts, shown }: { facts: Facts; shown: number }): ReactNode {
  if (!facts.loaded) return <Loading lines={10} />
  if (shown > 0) return null
  if (facts.state.error !== undefined) return <ErrorNote error={facts.state.error} />
  return (
    <Empty
      says="No fact is like that. Widen the filters, or ask the command line:"
      command="holdfast timeline"
    />
  )
}

function Days({ facts, open }: { facts: readonly Fact[]; open: string | null }): ReactNode {
  const days = Map.groupBy(facts, ({ at }) => sayDay(at))
  return [...days.entries()].map(([day, ofDay]) => (
    <section key={day} className="day" aria-label={day}>
      <h2>{day}</h2>
      <ol className="facts">
        {ofDay.map((fact) => (
          <FactRow key={fact.sequence} fact={fact} open={String(fact.sequence) === open} />
        ))}
      </ol>
    </section>
  ))
}
