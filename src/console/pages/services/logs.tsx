import { memo, useEffect, useRef, useState, type ReactNode } from 'react'
import type { EnvironmentStatus, Operations } from '../../../contracts/index.ts'
import { useFollow, type FollowState } from '../../data/follow.ts'
import { addLines, lastLines, noLines, type LineBuffer, type LinePage } from '../../data/lines.ts'
import { afterOverlap } from '../../data/overlap.ts'
import { Button, Empty, ErrorNote, Section } from '../../parts/basics.tsx'
import { Filter } from '../../parts/filter.tsx'
import { amend, placeOf } from '../../router/router.ts'
import { sayGoOn } from '../../words/answers.ts'

type LogLine = Operations['environment.logs']['output']
type Service = EnvironmentStatus['services'][number]

const pastLines = 500
const textOf = ({ replica, line }: LogLine): string => `${replica} ${line}`

/** Lines after a reconnection repeat the past; what is already held is left out. */
function join(buffer: LineBuffer<LogLine>, items: readonly LogLine[], again: boolean): LineBuffer<LogLine> {
  if (!again) return addLines(buffer, items)
  const known = lastLines(buffer, pastLines).map(textOf)
  return addLines(buffer, items.slice(items.length - afterOverlap(known, items.map(textOf)).length))
}

interface FollowedLogs {
  readonly buffer: LineBuffer<LogLine>
  readonly state: FollowState
}

function useLogs(service: string, replica: string): FollowedLogs {
  const [buffer, setBuffer] = useState<LineBuffer<LogLine>>(noLines)
  const seen = useRef(0)
  const key = `${service} ${replica}`
  useEffect(() => setBuffer(noLines), [key])
  const state = useFollow({
    name: 'environment.logs',
    key,
    input: () => ({
      service,
      lines: pastLines,
      follow: true,
      ...(replica !== '' && { replica: Number(replica) }),
    }),
    onItems: (items, opening) => {
      const again = seen.current !== opening
      seen.current = opening
      setBuffer((held) => join(held, items, again))
    },
  })
  return { buffer, state }
}

/** What a service says, live: follow, pause, search, one replica or all. */
export function Logs({ service, replica }: { service: Service; replica: string }): ReactNode {
  const logs = useLogs(service.name, replica)
  const [held, setHeld] = useState<LineBuffer<LogLine> | null>(null)
  const [search, setSearch] = useState('')
  const shown = held ?? logs.buffer
  const slots = service.replicas.map(({ id }) => id.split('/')[1] ?? '')
  const newer = held === null ? 0 : Math.max(0, logs.buffer.count - held.count)
  const toggle = (): void => setHeld(held === null ? logs.buffer : null)
  return (
    <Section
      title="Log"
      aside={
        <>
          <Replicas slots={slots} service={service.name} chosen={replica} />
          <Button icon={held === null ? 'pause' : 'play'} onClick={toggle}>
            {held === null ? 'Pause' : sayGoOn(newer)}
          </Button>
        </>
      }
    >
      <Filter label="Search the log" value={search} onChange={setSearch} />
      {shown.count === 0 ? (
        <NoLines service={service.name} error={logs.state.error} />
      ) : (
        <LogView buffer={shown} search={search} live={held === null} many={slots.length > 1} />
      )}
    </Section>
  )
}

function NoLines({ service, error }: { service: string; error: unknown }): ReactNode {
  if (error !== undefined) return <ErrorNote error={error} />
  return (
    <Empty says={`${service} has not written anything yet.`} command={`holdfast logs ${service} --follow`} />
  )
}

function Replicas(props: {
  readonly slots: readonly string[]
  readonly service: string
  readonly chosen: string
}): ReactNode {
  if (props.slots.length < 2) return null
  return (
    <select
      aria-label="Replica"
      value={props.chosen}
      onChange={(event) => amend(placeOf(['services', props.service], { replica: event.target.value }))}
    >
      <option value="">all replicas</option>
      {props.slots.map((slot) => (
        <option key={slot} value={slot}>
          only {props.service}/{slot}
        </option>
      ))}
    </select>
  )
}

function LogView(props: {
  readonly buffer: LineBuffer<LogLine>
  readonly search: string
  readonly live: boolean
  readonly many: boolean
}): ReactNode {
  const view = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    if (props.live && atEnd.current && view.current !== null)
      view.current.scrollTop = view.current.scrollHeight
  }, [props.buffer, props.live, props.search])
  const onScroll = (): void => {
    const element = view.current
    if (element === null) return
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24
  }
  return (
    <div ref={view} className="log" tabIndex={0} role="region" aria-label="Log lines" onScroll={onScroll}>
      {props.buffer.pages.map((page) => (
        <LogPage key={page.id} page={page} search={props.search.toLowerCase()} many={props.many} />
      ))}
    </div>
  )
}

const LogPage = memo(function LogPage(props: {
  readonly page: LinePage<LogLine>
  readonly search: string
  readonly many: boolean
}): ReactNode {
  const lines = props.page.lines.filter(({ line }) => line.toLowerCase().includes(props.search))
  return (
    <div className="log-page">
      {lines.map(({ replica, line }, index) => (
        <div key={index} className="log-line">
          {props.many && <span className="log-replica">{replica}</span>}
          <span className={/\b(error|fatal|panic)\b/i.test(line) ? 'log-error' : undefined}>
            <Marked line={line} search={props.search} />
          </span>
        </div>
      ))}
    </div>
  )
})

function Marked({ line, search }: { line: string; search: string }): ReactNode {
  const at = search === '' ? -1 : line.toLowerCase().indexOf(search)
  if (at < 0) return line
  return (
    <>
      {line.slice(0, at)}
      <mark>{line.slice(at, at + search.length)}</mark>
      {line.slice(at + search.length)}
    </>
  )
}
