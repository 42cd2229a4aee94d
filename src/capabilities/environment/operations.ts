import { environmentOperations, type EnvironmentStatus } from '../../contracts/environment.ts'
import {
  bindJob,
  bindStream,
  bindValue,
  type Call,
  type Context,
  type JobCall,
  type OperationBinding,
} from '../../kernel/capability/index.ts'
import { HoldfastError, lookUp, type InputOf } from '../../kernel/std/index.ts'
import type { ServicesConfig } from './config.ts'
import type { DatabasesConfig } from './databases/config.ts'
import type { EnvironmentPorts } from './ports.ts'
import { refuseForeign, serviceOf } from './services.ts'
import { overallState, sayEnvironment, type Watch } from './watch/index.ts'

/** What the operations stand on. */
export interface OperationGround {
  readonly name: string
  readonly version: string
  readonly services: ServicesConfig
  readonly databases: DatabasesConfig
  readonly startedAt: number
  readonly watch: Watch
  readonly context: Context
  readonly ports: EnvironmentPorts
  /** What else a person should know, a sentence each. */
  readonly notes: () => readonly string[]
}

function sayUnknown(trouble: string | null): string {
  return `Nothing is known yet${trouble === null ? '' : `: ${trouble}`}`
}

/** The environment at a glance. */
export function currentStatus(ground: OperationGround): EnvironmentStatus {
  const services = ground.watch.services().map((service) => {
    const engine = lookUp(ground.databases, service.name)?.engine
    return engine === undefined ? service : { ...service, database: engine }
  })
  const supervisor = ground.watch.status()
  const trouble = ground.watch.trouble()
  const common = { name: ground.name, version: ground.version, services }
  const notes = [
    ...(ground.context.notes?.() ?? []),
    ...ground.notes(),
    ...(trouble === null ? [] : [trouble]),
  ]
  if (supervisor === null) {
    const says = sayUnknown(trouble)
    return { ...common, says, state: 'starting', startedAt: ground.startedAt, processes: [], notes }
  }
  return {
    ...common,
    says: sayEnvironment(services),
    state: overallState(services),
    startedAt: supervisor.startedAt,
    processes: supervisor.processes,
    notes: [...supervisor.notes, ...notes],
  }
}

type LogInput = InputOf<typeof environmentOperations.logs>
type LogLine = { readonly replica: string; readonly line: string }

const slotOf = (id: string): number => Number(/\d+$/.exec(id)?.[0])

function logFiles(
  ground: OperationGround,
  input: LogInput,
): readonly { readonly id: string; readonly file: string }[] {
  serviceOf(ground.services, input.service)
  return (ground.watch.status()?.replicas ?? [])
    .filter(
      ({ id, service: of }) =>
        of === input.service && (input.replica === undefined || slotOf(id) === input.replica),
    )
    .map(({ id, logFile }) => ({ id, file: logFile }))
}

/** Merges several endless sources, a line at a time, in the order of arrival. */
async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  const pending = new Map(iterators.map((iterator, index) => [index, nextOf(iterator, index)]))
  while (pending.size > 0) {
    const { index, result } = await Promise.race(pending.values())
    const iterator = iterators[index]
    if (result.done === true || iterator === undefined) pending.delete(index)
    else {
      pending.set(index, nextOf(iterator, index))
      yield result.value
    }
  }
}

async function nextOf<T>(
  iterator: AsyncIterator<T>,
  index: number,
): Promise<{ readonly index: number; readonly result: IteratorResult<T> }> {
  return { index, result: await iterator.next() }
}

async function* label(replica: string, lines: AsyncIterable<string>): AsyncGenerator<LogLine> {
  for await (const line of lines) yield { replica, line }
}

async function* readLogs(ground: OperationGround, input: LogInput, call: Call): AsyncGenerator<LogLine> {
  const { logs } = ground.ports
  const ends: { readonly id: string; readonly file: string; readonly end: number }[] = []
  for (const { id, file } of logFiles(ground, input)) {
    const { lines, end } = await logs.tail(file, input.lines)
    for (const line of lines) yield { replica: id, line }
    ends.push({ id, file, end })
  }
  if (!input.follow) return
  yield* merge(ends.map(({ id, file, end }) => label(id, logs.follow(file, end, call.signal))))
}

const restartPollMs = 250
/** So long requests that are short have to come to their end. */
const drainMs = 1500

interface Restarted {
  readonly service: string
  readonly replicaId: string
  /** When the process before was started; the new one is another. */
  readonly before: number | null
}

function notHealthy(service: string, replicaId: string, detail: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.service-unhealthy',
    kind: 'operational',
    message: `${replicaId} did not get healthy again: ${detail}`,
    hint: `see "holdfast logs ${service}"; the other replicas were left alone`,
  })
}

async function waitHealthy(
  { context, watch, services }: OperationGround,
  { service, replicaId, before }: Restarted,
  call: JobCall,
): Promise<void> {
  const deadline = context.clock.monotonicMs() + (services[service]?.startTimeout ?? 0)
  for (;;) {
    await context.clock.sleep(restartPollMs, call.signal)
    await watch.round()
    const replica = watch
      .services()
      .flatMap((view) => view.replicas)
      .find(({ id }) => id === replicaId)
    if (replica?.healthy === true && replica.startedAt !== before) return
    if (context.clock.monotonicMs() > deadline) {
      throw notHealthy(service, replicaId, replica?.detail ?? 'it is gone')
    }
  }
}

/** Waits until the edge sends nothing to a replica any more, and a while longer. */
async function drain({ context, watch }: OperationGround, id: string, signal: AbortSignal): Promise<void> {
  while (watch.isSentTo(id)) await context.clock.sleep(restartPollMs, signal)
  await context.clock.sleep(drainMs, signal)
}

async function restartService(
  ground: OperationGround,
  service: string,
  call: JobCall,
): Promise<{ restarted: string[] }> {
  const config = refuseForeign(service, serviceOf(ground.services, service))
  const replicas = (ground.watch.status()?.replicas ?? []).filter((replica) => replica.service === service)
  for (const [index, { id, startedAt }] of replicas.entries()) {
    call.signal.throwIfAborted()
    const now = ground.watch.status()?.replicas.find((replica) => replica.id === id)
    // Along with another one, where the engine cannot do it alone.
    if (now !== undefined && now.startedAt !== startedAt) continue
    call.progress(index / replicas.length, `restarting ${id}`)
    const giveBack = ground.watch.withhold(id)
    try {
      const { before } = await call.step(`restart ${id}`, async () => {
        if (config.listens && replicas.length > 1) await drain(ground, id, call.signal)
        await ground.ports.engine.restart(id)
        return { before: startedAt }
      })
      await waitHealthy(ground, { service, replicaId: id, before }, call)
    } finally {
      giveBack()
    }
  }
  return { restarted: replicas.map(({ id }) => id) }
}

/** Binds the contracts of the environment to its code; `environment.reload` is bound by the server. */
export function bindOperations(ground: OperationGround): readonly OperationBinding[] {
  return [
    bindValue(environmentOperations.status, () => Promise.resolve(currentStatus(ground))),
    bindStream(environmentOperations.logs, (input, call) => readLogs(ground, input, call)),
    bindJob(environmentOperations.restart, ({ service }, call) => restartService(ground, service, call)),
  ]
}
