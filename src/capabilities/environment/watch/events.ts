import { environmentFacts } from '../../../contracts/environment.ts'
import type { SupervisorEvent } from '../../../contracts/supervisor.ts'
import type { FactDeclaration, JsonObject } from '../../../kernel/std/index.ts'

/** A fact that is about to be recorded for an event of the supervisor. */
export interface EventFact {
  readonly declaration: FactDeclaration
  readonly data: JsonObject
  /** Null: the whole environment. */
  readonly subject: string | null
}

/** What the environment is called, for facts about the whole of it. */
export interface Whole {
  readonly name: string
  readonly version: string
  readonly services: readonly string[]
}

function sayExit(event: SupervisorEvent): string {
  if (event.detail !== null && event.detail !== '') return event.detail
  if (event.signal !== null) return `signal ${event.signal}`
  return event.code === null ? 'it is gone' : `exit code ${event.code}`
}

/** Data of a fact as its schema takes it; checked by `record`. */
type Fields = (event: SupervisorEvent, whole: Whole) => JsonObject

const ofName: Fields = (event, { name }) => ({ event: event.number, name })
const ofWhole: Fields = (event, { name, version, services }) => ({
  event: event.number,
  name,
  version,
  services: [...services],
})
const ofProcess: Fields = (event) => ({ event: event.number, process: event.subject })
const ofReplica: Fields = (event) => ({
  event: event.number,
  ...(event.task === undefined ? {} : { task: event.task }),
  replica: event.subject,
  service: event.subject.split('/')[0] ?? event.subject,
})
const withPid: Fields = (event) => ({ pid: event.pid ?? 0 })
const withDetail: Fields = (event) => ({ detail: sayExit(event) })
const withLines: Fields = (event) => ({ lastLines: event.lastLines })
const withExit: Fields = (event) => ({ code: event.code, signal: event.signal })
const crash = [ofReplica, withDetail, withLines, withExit]

const table: Readonly<Record<SupervisorEvent['what'], readonly [FactDeclaration, readonly Fields[]]>> = {
  'supervisor-started': [environmentFacts.started, [ofWhole]],
  'supervisor-stopping': [environmentFacts.stopped, [ofName]],
  'process-started': [environmentFacts.processStarted, [ofProcess, withPid]],
  'process-crashed': [environmentFacts.processCrashed, [ofProcess, withDetail, withLines]],
  'replica-started': [
    environmentFacts.replicaStarted,
    [ofReplica, withPid, (event) => ({ port: event.port })],
  ],
  'replica-adopted': [environmentFacts.replicaAdopted, [ofReplica, withPid]],
  'replica-exited': [environmentFacts.replicaStopped, [ofReplica, withDetail]],
  'replica-ended': [environmentFacts.replicaEnded, crash],
  'replica-crashed': [
    environmentFacts.replicaCrashed,
    [...crash, (event) => ({ restartInMs: event.restartInMs ?? 0 })],
  ],
  'replica-crash-looped': [environmentFacts.replicaCrashLooped, crash],
  'replica-exposed': [environmentFacts.replicaExposed, crash],
  'replica-unstartable': [environmentFacts.replicaUnstartable, crash],
}

function subjectOf(event: SupervisorEvent): string | null {
  if (event.subject === 'supervisor') return null
  return event.what.startsWith('process-')
    ? `process:${event.subject}`
    : `service:${event.subject.split('/')[0]}`
}

/** A supervisor that took over from another says why; one that began says nothing. */
const replaced: (typeof table)[SupervisorEvent['what']] = [
  environmentFacts.programReplaced,
  [ofName, (_, { version }) => ({ version }), withDetail],
]

/** The fact that an event of the supervisor becomes. */
export function factOfEvent(event: SupervisorEvent, whole: Whole): EventFact {
  const tookOver = event.what === 'supervisor-started' && event.detail !== null
  const [declaration, fields] = tookOver ? replaced : table[event.what]
  const data = Object.assign({}, ...fields.map((field) => field(event, whole))) as JsonObject
  return { declaration, data, subject: subjectOf(event) }
}
