import { useMemo, type ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, ErrorNote, Loading, Section } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { go, placeOf, usePlace } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayCount, sayMinute, sayMoment, sayShare } from '../../words/format.ts'
import { everyMinute, refusalChart } from './refusal-chart.ts'

type Explanation = Operations['limits.explain']['output']
type Spell = Explanation['spells'][number]
type Held = Explanation['bans'][number] | Explanation['overrides'][number]
type Route = Spell['routes'][number]

const trail = (
  <>
    <a href={placeOf(['limits'])}>Routes and limits</a>
    <span aria-hidden="true">/</span>
  </>
)

/** Why was somebody refused? The subject and the time are in the address, so that an answer can be passed on. */
export function ExplainPage(): ReactNode {
  const { query } = usePlace()
  const subject = query.get('subject') ?? ''
  const at = Number(query.get('at') ?? '0')
  if (subject === '') {
    return (
      <>
        <PageHead title="Why refused" trail={trail} answer={[{ text: 'Name a subject to ask about.' }]} />
        <Search subject="" at={0} />
        <Empty
          says="A subject is what a limit counts by: user:42, ip:203.0.113.7, key:partner."
          command="holdfast limits explain --subject user:42 --at 14:03"
        />
      </>
    )
  }
  return <Answer key={`${subject} ${at}`} subject={subject} at={at} />
}

function Answer({ subject, at }: { subject: string; at: number }): ReactNode {
  const input = { subject, ...(at > 0 && { at }) }
  const { data, error } = usePoll('limits.explain', input, { periodMs: 10_000 })
  const waiting = error === undefined ? 'Looking …' : 'It cannot be told.'
  const state = data !== undefined && data.spells.length > 0 ? 'warn' : 'good'
  return (
    <>
      <PageHead title="Why refused" trail={trail} state={state} answer={[{ text: data?.says ?? waiting }]} />
      <Search subject={subject} at={at} />
      {data === undefined ? <NoAnswer error={error} /> : <Evidence subject={subject} answer={data} />}
    </>
  )
}

function NoAnswer({ error }: { error: unknown }): ReactNode {
  return error === undefined ? <Loading /> : <ErrorNote error={error} />
}

function Evidence({ subject, answer }: { subject: string; answer: Explanation }): ReactNode {
  const { spells, bans, overrides } = answer
  const [nearest] = spells
  return (
    <>
      {nearest === undefined ? (
        <Empty
          says={`Looked from ${sayMoment(answer.from)} to ${sayMoment(answer.until)}; ask about another time.`}
          command={`holdfast limits explain --subject ${subject} --at 14:03`}
        />
      ) : (
        <>
          <Use spell={nearest} />
          <Section title="Refusals" aside={<FactsLink />}>
            <Table
              label="Refusals"
              columns={spellColumns}
              rows={spells}
              rowKey={({ limit, rule, subject: counted, from }) => `${limit} ${rule} ${counted} ${from}`}
            />
          </Section>
        </>
      )}
      <Held held={[...bans, ...overrides]} />
    </>
  )
}

const FactsLink = (): ReactNode => (
  <a href={placeOf(['timeline'], { kind: 'limits.refused' })}>The facts behind it</a>
)

/** As the field of a form has it, where the reader is. */
function localTime(at: number): string {
  return sayMoment(at).slice(0, 16).replace(' ', 'T')
}

function Search({ subject, at }: { subject: string; at: number }): ReactNode {
  const search = (form: FormData): void => {
    const [wanted, time] = [form.get('subject'), form.get('at')]
    const moment = typeof time === 'string' && time !== '' ? String(new Date(time).getTime()) : ''
    go(
      placeOf(['limits', 'explain'], {
        subject: typeof wanted === 'string' ? wanted.trim() : '',
        at: moment,
      }),
    )
  }
  return (
    <form className="inline-form" role="search" action={search}>
      <label className="field">
        <span>Subject</span>
        <input
          name="subject"
          type="search"
          required
          pattern="[a-z][a-z0-9:\-]{0,63}:\S.*"
          title="a dimension and a value, as user:42"
          placeholder="user:42"
          defaultValue={subject}
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <label className="field">
        <span>Around (empty: now)</span>
        <input name="at" type="datetime-local" defaultValue={at > 0 ? localTime(at) : ''} />
      </label>
      <Button look="main" type="submit">
        Explain
      </Button>
    </form>
  )
}

const routeColumns = (total: number): readonly Column<Route>[] => [
  {
    key: 'route',
    label: 'route',
    cell: ({ route }) => (
      <a className="code" href={placeOf(['limits', 'route', route])}>
        {route}
      </a>
    ),
  },
  { key: 'admitted', label: 'admitted', number: true, cell: ({ admitted }) => sayCount(admitted) },
  { key: 'refused', label: 'refused', number: true, cell: ({ refused }) => sayCount(refused) },
  {
    key: 'share',
    label: 'of its use',
    number: true,
    cell: ({ admitted, refused }) => sayShare((admitted + refused) / Math.max(1, total)),
  },
]

function Use({ spell }: { spell: Spell }): ReactNode {
  const chart = useMemo(() => {
    const { from, until } = spell
    const minutes = everyMinute(spell.minutes, from, until)
    // A point stands at the start of its minute, so the line ends with the last one.
    const span = { from, to: minutes.at(-1)?.at ?? until }
    return refusalChart(minutes, 60_000, { title: `${sayLimit(spell.limit)}, ${spell.rule}`, ...span })
  }, [spell])
  const total = spell.routes.reduce((sum, { admitted, refused }) => sum + admitted + refused, 0)
  return (
    <Section title="What used it up">
      {spell.minutes.length > 1 && <ChartPanel chart={chart} ready low />}
      {spell.routes.length > 0 && (
        <Table
          label="Use by route"
          columns={routeColumns(total)}
          rows={spell.routes}
          rowKey={({ route }) => route}
        />
      )}
      {spell.routes.length === 0 && spell.minutes.length === 1 && (
        <p>
          {sayCount(spell.refused)} refused and {sayCount(spell.admitted)} admitted in the minute of{' '}
          {sayMinute(spell.from)}.
        </p>
      )}
    </Section>
  )
}

function withUnits(count: number, units: number | undefined): string {
  return units === undefined ? sayCount(count) : `${sayCount(count)} (${sayCount(units)} units)`
}

const spellColumns: readonly Column<Spell>[] = [
  {
    key: 'limit',
    label: 'limit',
    cell: ({ limit }) => (
      <a className="code" href={placeOf(['limits', 'limit', limit])}>
        {sayLimit(limit)}
      </a>
    ),
  },
  { key: 'rule', label: 'rule', plain: true, cell: ({ rule }) => (rule === '' ? 'a ban' : rule) },
  {
    key: 'when',
    label: 'when',
    cell: ({ from, until, ended }) => (
      <time title={sayMoment(from)}>
        {sayMinute(from)} to {ended ? sayMinute(until) : 'now'}
      </time>
    ),
  },
  {
    key: 'allows',
    label: 'allows now',
    wide: true,
    cell: ({ allows }) => (allows.length === 0 ? 'no longer there' : allows.join(', ')),
  },
  {
    key: 'refused',
    label: 'refused',
    number: true,
    cell: ({ refused, units }) => withUnits(refused, units?.refused),
  },
  {
    key: 'admitted',
    label: 'admitted',
    number: true,
    cell: ({ admitted, units }) => withUnits(admitted, units?.admitted),
  },
]

const heldColumns: readonly Column<Held>[] = [
  { key: 'what', label: 'what', cell: (held) => ('rule' in held ? `${held.limit}: ${held.rule}` : 'ban') },
  { key: 'subject', label: 'of', cell: ({ subject }) => <span className="code">{subject}</span> },
  { key: 'because', label: 'because', cell: ({ because }) => because },
  { key: 'since', label: 'since', number: true, cell: ({ since }) => sayMoment(since) },
  {
    key: 'until',
    label: 'until',
    number: true,
    cell: ({ until, liftedAt }) => (liftedAt === null ? sayMoment(until) : `lifted ${sayMoment(liftedAt)}`),
  },
]

function Held({ held }: { held: readonly Held[] }): ReactNode {
  if (held.length === 0) return null
  return (
    <Section title="Bans and overrides">
      <Table
        label="Bans and overrides"
        columns={heldColumns}
        rows={held}
        rowKey={({ subject, since }) => `${subject} ${since}`}
      />
    </Section>
  )
}
