import type { ReactNode } from 'react'
import type { Fact } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icons.tsx'
import type { Filters } from './use-facts.ts'

const severities = [
  ['', 'any severity'],
  ['notice', 'notice or worse'],
  ['warning', 'warning or worse'],
  ['critical', 'critical'],
] as const

const times = [
  ['', 'any time'],
  ['900000', 'last 15 min'],
  ['3600000', 'last hour'],
  ['86400000', 'last 24 h'],
  ['604800000', 'last 7 days'],
] as const

// Rooms that are always there; others appear as soon as one of their facts was seen.
const rooms = ['access', 'edge', 'environment', 'jobs', 'limits', 'operations', 'timeline']

function kindsOf(facts: readonly Fact[]): readonly string[] {
  const kinds = new Set(facts.map(({ kind }) => kind))
  const seenRooms = [...kinds].map((kind) => kind.split('.')[0] ?? '')
  return [...new Set([...rooms, ...seenRooms])]
    .sort()
    .flatMap((room) => [`${room}.*`, ...[...kinds].filter((kind) => kind.startsWith(`${room}.`)).sort()])
}

function Choice(props: {
  readonly label: string
  readonly value: string
  readonly options: readonly (readonly [string, string])[]
  readonly onChange: (value: string) => void
}): ReactNode {
  return (
    <select
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange(event.target.value)}
    >
      {props.options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  )
}

const sayKind = (kind: string): string => (kind.endsWith('.*') ? kind.slice(0, -2) : `  ${kind}`)

/** The filters that control itself applies. */
export function TimelineFilters(props: {
  readonly filters: Filters
  readonly facts: readonly Fact[]
  readonly change: (changed: Partial<Filters>) => void
}): ReactNode {
  const { filters, change } = props
  const kinds = kindsOf(props.facts)
  const known = filters.kind === '' || kinds.includes(filters.kind) ? kinds : [filters.kind, ...kinds]
  return (
    <>
      <Choice
        label="Room or kind"
        value={filters.kind}
        options={[['', 'every room'], ...known.map((kind): [string, string] => [kind, sayKind(kind)])]}
        onChange={(kind) => change({ kind })}
      />
      <Choice
        label="Severity"
        value={filters.severity}
        options={severities}
        onChange={(severity) => change({ severity })}
      />
      <Choice label="Time" value={filters.within} options={times} onChange={(within) => change({ within })} />
      {filters.subject !== '' && (
        <Chip text={filters.subject} label="any subject" onClear={() => change({ subject: '' })} />
      )}
      {filters.correlation !== '' && (
        <Chip text="one undertaking" label="all undertakings" onClear={() => change({ correlation: '' })} />
      )}
    </>
  )
}

function Chip(props: {
  readonly text: string
  readonly label: string
  readonly onClear: () => void
}): ReactNode {
  return (
    <button
      type="button"
      className="chip"
      aria-label={`${props.text}: show ${props.label}`}
      onClick={props.onClear}
    >
      {props.text}
      <Icon name="close" />
    </button>
  )
}
