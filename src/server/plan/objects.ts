import { contentHash, lookUp, type Json } from '../../kernel/std/index.ts'
import type { EnvironmentFile, LoadedEnvironment } from '../composition/index.ts'

type Service = EnvironmentFile['services'][string]
type FileContents = NonNullable<LoadedEnvironment['contents']>

/** A thing that the file names. */
export interface PlannedObject {
  /** As a person calls it: `service web`, `route POST /login`, `edge`. */
  readonly name: string
  readonly value: Json
}

const named = (kind: string, all: Readonly<Record<string, unknown>>): readonly PlannedObject[] =>
  Object.entries(all).map(([name, value]) => ({ name: `${kind} ${name}`, value: plain(value) }))

/** Without what is undefined, as it would be written. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json
}

/** A file that a service is handed is another one when something else is in it, which is not shown. */
function withContents(service: Service | undefined, contents: FileContents): unknown {
  const files = Object.entries(service?.files ?? {}).map(([name, from]) => [
    name,
    typeof from === 'string' ? { path: from, content: contentHash(lookUp(contents, from) ?? '') } : from,
  ])
  return { ...service, files: Object.fromEntries(files) }
}

/** Everything that a file describes, in an order in which what is needed comes before what needs it. */
export function objectsOf(
  { environment, contents = {} }: Pick<LoadedEnvironment, 'environment' | 'contents'>,
  serviceOrder: readonly string[],
): readonly PlannedObject[] {
  const { name, engine, services, edge, limits, people, control, timeline } = environment
  const { volumes, databases, jobs, schedules } = environment
  const { routes, ...edgeItself } = edge
  const ordered = Object.fromEntries(
    serviceOrder.map((service) => [service, withContents(services[service], contents)]),
  )
  return [
    { name: 'environment', value: plain({ name, engine }) },
    { name: 'timeline', value: plain(timeline) },
    { name: 'control', value: plain(control) },
    ...named('person', people),
    ...named('limit', limits),
    ...named('volume', volumes),
    ...named('database', databases),
    ...named('service', ordered),
    ...named('job', jobs),
    ...named('schedule', schedules),
    { name: 'edge', value: plain(edgeItself) },
    ...named('route', routes),
  ]
}
