import { useState, type ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { useChange, useMay, type Change } from '../../data/changes.ts'
import { useNow, usePoll } from '../../data/house.ts'
import { Button, Empty, ErrorNote, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayFor, sayMoment } from '../../words/format.ts'
import { BanForm, OverrideForm, ReasonDialog } from './holding-forms.tsx'
import { SubjectLink } from './subject-link.tsx'

type Ban = Operations['limits.bans']['output']['bans'][number]
type Override = Operations['limits.overrides']['output']['overrides'][number]
type Holding = Ban | Override

function common<T extends Holding>(now: number, onLift: ((holding: T) => void) | null): readonly Column<T>[] {
  const facts = placeOf(['timeline'], { kind: 'limits.*' })
  return [
    { key: 'because', label: 'because', cell: ({ because }) => because },
    { key: 'actor', label: 'by', wide: true, cell: ({ actor }) => <a href={facts}>{actor}</a> },
    {
      key: 'until',
      label: 'ends in',
      number: true,
      cell: ({ until }) => <time title={sayMoment(until)}>{sayFor(now, until)}</time>,
    },
    {
      key: 'lift',
      label: 'lift',
      plain: true,
      actions: true,
      cell: (holding) =>
        onLift === null ? null : (
          <Button onClick={() => onLift(holding)} aria-label={`Lift what holds for ${holding.subject}`}>
            Lift
          </Button>
        ),
    },
  ]
}

const subjectColumn: Column<Holding> = {
  key: 'subject',
  label: 'subject',
  cell: ({ subject }) => <SubjectLink subject={subject} />,
}

/** What a section about something that holds is made of. */
interface HeldParts<T extends Holding> {
  readonly title: string
  readonly aside: string
  readonly poll: { readonly error: unknown; readonly rows: readonly T[] | undefined }
  readonly columns: readonly Column<T>[]
  readonly empty: ReactNode
  readonly form: (change: Change) => ReactNode
  /** What is asked for when something is lifted. */
  readonly lift: (holding: T, because: string) => Parameters<Change>
}

function HeldSection<T extends Holding>(props: HeldParts<T>): ReactNode {
  const { title, poll, empty } = props
  const now = useNow(10_000)
  const may = useMay('operate')
  const change = useChange(placeOf(['timeline'], { kind: 'limits.*' }))
  const [lifting, setLifting] = useState<T | null>(null)
  const onLifted = (because: string): void => {
    if (lifting !== null) void change(...props.lift(lifting, because))
    setLifting(null)
  }
  const columns = [...props.columns, ...common<T>(now, may ? setLifting : null)]
  return (
    <Section title={title} aside={<span className="soft">{props.aside}</span>}>
      <HeldRows title={title} poll={poll} columns={columns} empty={empty} />
      {may && props.form(change)}
      {lifting !== null && (
        <ReasonDialog
          title={`Lift what holds for ${lifting.subject}`}
          onDone={onLifted}
          onClose={() => setLifting(null)}
        />
      )}
    </Section>
  )
}

function HeldRows<T extends Holding>(
  props: Pick<HeldParts<T>, 'title' | 'poll' | 'columns' | 'empty'>,
): ReactNode {
  const { error, rows } = props.poll
  if (rows === undefined) return error === undefined ? null : <ErrorNote error={error} />
  if (rows.length === 0) return props.empty
  const rowKey = (held: T): string => `${held.subject} ${'limit' in held ? held.limit : ''}`
  return <Table label={props.title} columns={props.columns} rows={rows} rowKey={rowKey} />
}

/** Who is banned, and who may ban. */
export function Bans(): ReactNode {
  const { data, error } = usePoll('limits.bans', {}, { periodMs: 5000 })
  return (
    <HeldSection<Ban>
      title="Bans"
      aside="refused at every door"
      poll={{ error, rows: data?.bans }}
      columns={[subjectColumn]}
      empty={
        <Empty says="Nobody is banned." command='holdfast limits ban user:42 --for 1h --because "..."' />
      }
      form={(change) => <BanForm change={change} />}
      lift={({ subject }, because) => [
        'limits.unban',
        { subject, because },
        `${subject} is no longer banned.`,
      ]}
    />
  )
}

const overrideColumns: readonly Column<Override>[] = [
  subjectColumn,
  { key: 'limit', label: 'limit', cell: ({ limit }) => <span className="code">{sayLimit(limit)}</span> },
  { key: 'rule', label: 'rule', plain: true, cell: ({ rule }) => rule },
]

/** For whom a limit is not what it is for everybody. */
export function Overrides(): ReactNode {
  const { data, error } = usePoll('limits.overrides', {}, { periodMs: 5000 })
  return (
    <HeldSection<Override>
      title="Overrides"
      aside="another rule, for a time"
      poll={{ error, rows: data?.overrides }}
      columns={overrideColumns}
      empty={
        <Empty
          says="Every limit is for everybody what the environment file says."
          command='holdfast limits override chat.message user:42 "50/10s per user" --for 1d --because "..."'
        />
      }
      form={(change) => <OverrideForm change={change} />}
      lift={({ subject, limit }, because) => [
        'limits.lift-override',
        { limit: limit.replace(/^app\./, ''), subject, because },
        `For ${subject} the limit is what it is for everybody.`,
      ]}
    />
  )
}
