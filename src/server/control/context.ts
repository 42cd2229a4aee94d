import type { Context, FactExtras, Log } from '../../kernel/capability/index.ts'
import type { SeriesStore } from '../../kernel/series/index.ts'
import {
  assert,
  HoldfastError,
  type Clock,
  type FactDeclaration,
  type InputOf,
  type JsonObject,
  type OperationDeclaration,
  type OutputOf,
  type Random,
} from '../../kernel/std/index.ts'
import {
  factFrom,
  startView,
  type Fact,
  type Fold,
  type RunningView,
  type Timeline,
  type View,
} from '../../kernel/timeline/index.ts'
import type { Jobs } from './jobs/index.ts'
import type { Answer, CallRequest } from './stages/index.ts'

/** What the outside world gives to the house. */
export interface HousePorts {
  readonly timeline: Timeline
  readonly series: SeriesStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What the house is short of, in words; absent: nothing. */
  readonly notes?: () => readonly string[]
}

/** The views that run, by the name of their fold. */
export interface Views {
  start<State extends JsonObject>(fold: Fold<State>): Promise<View<State>>
  close(): Promise<void>
}

/** Starts each fold once, however many ask for it. */
export function createViews(timeline: Timeline): Views {
  const running = new Map<string, Promise<RunningView<JsonObject>>>()
  return {
    start: <State extends JsonObject>(fold: Fold<State>): Promise<View<State>> => {
      const started = running.get(fold.name) ?? startView(timeline, fold as unknown as Fold<JsonObject>)
      running.set(fold.name, started)
      return started as unknown as Promise<View<State>>
    },
    close: async () => {
      for (const started of running.values()) await (await started).close()
      running.clear()
    },
  }
}

async function record<Data>(
  timeline: Timeline,
  declaration: FactDeclaration<Data>,
  told: { readonly data: Data; readonly extras?: FactExtras | undefined },
): Promise<Fact> {
  const [fact] = await timeline.append([factFrom(declaration, told.data, told.extras)])
  assert(fact !== undefined, 'the timeline answered without a fact')
  return fact
}

/** What calls from inside go through. */
export interface InnerDoor {
  call(request: CallRequest): Promise<Answer>
  readonly jobs: () => Jobs
  /** Aborts when the house stops. */
  readonly stopping: AbortSignal
}

function refusedInside(name: string, answer: Extract<Answer, { kind: 'refused' }>): HoldfastError {
  const { limit, rule } = answer.refusal
  return new HoldfastError({
    code: 'limit.refused',
    kind: 'operational',
    message: `${limit} (${rule}) refused a call of ${name} by Holdfast itself`,
  })
}

async function jobResult(door: InnerDoor, id: string): Promise<unknown> {
  const ended = await door.jobs().ended(id, door.stopping)
  if (ended.state === 'done') return ended.result
  const { code, message, hint } = ended.error ?? {
    code: 'jobs.cancelled',
    message: 'the job was cancelled',
    hint: null,
  }
  throw new HoldfastError({ code, kind: 'operational', message, hint: hint ?? undefined })
}

async function callInside(
  door: InnerDoor,
  operation: OperationDeclaration,
  input: unknown,
): Promise<unknown> {
  const answer = await door.call({
    operation: operation.name,
    input,
    credentials: { trusted: { actor: 'holdfast', permission: 'administer' } },
    signal: door.stopping,
  })
  if (answer.kind === 'refused') throw refusedInside(operation.name, answer)
  if (answer.kind === 'job') return jobResult(door, answer.job.id)
  assert(answer.kind === 'value', `${operation.name} is a stream and cannot be called from inside`)
  return answer.value
}

/** What the house gives to every capability. */
export function createContext(ports: HousePorts, views: Views, door: InnerDoor): Context {
  const { timeline } = ports
  return {
    ...ports,
    record: (declaration, data, extras) => record(timeline, declaration, { data, extras }),
    call: <O extends OperationDeclaration>(operation: O, input: InputOf<O>): Promise<OutputOf<O>> =>
      callInside(door, operation, input) as Promise<OutputOf<O>>,
    view: (fold) => views.start(fold),
  }
}
