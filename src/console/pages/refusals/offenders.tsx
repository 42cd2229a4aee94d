import { useMemo, type ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { usePoll } from '../../data/house.ts'
import { Empty, ErrorNote, Loading, Section } from '../../parts/basics.tsx'
import { ChartPanel } from '../../parts/chart-panel.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayCount } from '../../words/format.ts'
import { refusalChart } from './refusal-chart.ts'
import { SubjectLink } from './subject-link.tsx'

type View = Operations['limits.offenders']['output']
type Subject = View['subjects'][number]
type Limit = View['limits'][number]

const factsHref = placeOf(['timeline'], { kind: 'limits.refused' })
const mostShown = 10

function Refused({ refused, wouldRefuse }: Pick<Subject, 'refused' | 'wouldRefuse'>): ReactNode {
  return (
    <a href={factsHref} title={refused === 0 ? 'would have been refused' : undefined}>
      {refused === 0 ? `(${sayCount(wouldRefuse)})` : sayCount(refused)}
    </a>
  )
}

function LimitLinks({ names }: { names: readonly string[] }): ReactNode {
  const [first, ...others] = names
  if (first === undefined) return null
  return (
    <>
      <a className="code" href={placeOf(['limits', 'limit', first])}>
        {sayLimit(first)}
      </a>
      {others.length > 0 && <span className="soft"> and {others.length} more</span>}
    </>
  )
}

const subjectColumns: readonly Column<Subject>[] = [
  { key: 'subject', label: 'subject', cell: ({ subject }) => <SubjectLink subject={subject} /> },
  { key: 'limits', label: 'by', cell: ({ limits }) => <LimitLinks names={limits} /> },
  { key: 'refused', label: 'refused', number: true, cell: (subject) => <Refused {...subject} /> },
  { key: 'admitted', label: 'admitted since', number: true, cell: ({ admitted }) => sayCount(admitted) },
]

const limitColumns: readonly Column<Limit>[] = [
  { key: 'limit', label: 'limit', cell: ({ limit }) => <LimitLinks names={[limit]} /> },
  { key: 'refused', label: 'refused', number: true, cell: (limit) => <Refused {...limit} /> },
  { key: 'subjects', label: 'subjects', number: true, cell: ({ subjects }) => sayCount(subjects) },
]

/** Who was refused in the last hour, and by which limits? */
export function Offenders(): ReactNode {
  const { data, error } = usePoll('limits.offenders', {}, { periodMs: 5000 })
  const chart = useMemo(
    () =>
      data === undefined
        ? null
        : refusalChart(data.steps, data.stepMs, {
            title: 'Refused per second, at every door',
            from: data.from,
            to: data.until,
          }),
    [data],
  )
  return (
    <Section title="Who was refused" aside={<span className="soft">the last hour</span>}>
      {data === undefined && (error === undefined ? <Loading /> : <ErrorNote error={error} />)}
      {data !== undefined && data.subjects.length === 0 && (
        <Empty
          says="No limit refused anybody in the last hour."
          command="holdfast limits offenders --since 7d"
        />
      )}
      {data !== undefined && chart !== null && data.subjects.length > 0 && (
        <>
          <p>{data.says}</p>
          <ChartPanel chart={chart} ready low />
          <Table
            label="Subjects refused most"
            columns={subjectColumns}
            rows={data.subjects.slice(0, mostShown)}
            rowKey={({ subject }) => subject}
          />
          <Table
            label="Limits that refused most"
            columns={limitColumns}
            rows={data.limits.slice(0, mostShown)}
            rowKey={({ door, limit }) => `${door} ${limit}`}
          />
        </>
      )}
    </Section>
  )
}
