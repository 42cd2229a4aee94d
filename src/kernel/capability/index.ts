import type { SeriesStore } from '../series/index.ts'
import type {
  Clock,
  FactDeclaration,
  InputOf,
  JsonObject,
  OperationDeclaration,
  OutputOf,
  Permission,
  Random,
  Severity,
} from '../std/index.ts'
import type { Fact, Fold, Timeline, View } from '../timeline/index.ts'

/** What a fact carries beside its data. */
export interface FactExtras {
  readonly subject?: string
  /** Default `holdfast`. */
  readonly actor?: string
  readonly correlation?: string
  /** Default: the declaration's. */
  readonly severity?: Severity
}

/** Where a room writes what only its maintainers want to know. */
export interface Log {
  info(details: JsonObject, message: string): void
  warn(details: JsonObject, message: string): void
  error(details: JsonObject, message: string): void
}

/** What the house gives to every capability: the timeline, measures, time, and the three sentences. */
export interface Context {
  readonly timeline: Timeline
  readonly series: SeriesStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What the house itself is short of at this moment (room on its disk, say), a sentence each; absent: nothing. */
  readonly notes?: () => readonly string[]
  /** Says "it happened"; resolves when it is on disk. */
  record<Data>(declaration: FactDeclaration<Data>, data: Data, extras?: FactExtras): Promise<Fact>
  /** Says "please do", as `holdfast` itself, through the same stages as any caller. */
  call<O extends OperationDeclaration>(operation: O, input: InputOf<O>): Promise<OutputOf<O>>
  /** Registers a fold and keeps it current from `start` on. */
  view<State extends JsonObject>(fold: Fold<State>): Promise<View<State>>
}

/** Who calls. `limitKey` names the bucket of its limits. */
export interface Caller {
  /** `person:<name>`, `token:ci`, `root`, `holdfast`, `anonymous`. */
  readonly actor: string
  readonly permission: Permission
}

/** One call on its way through the house. */
export interface Call {
  readonly caller: Caller
  /** Aborts when the caller has gone or the job is cancelled. */
  readonly signal: AbortSignal
  /** Ties everything together that the call brings about. */
  readonly correlation: string
}

/** What a job's code has in addition: it may be killed at any instant and is begun again with the same id. */
export interface JobCall extends Call {
  readonly jobId: string
  /** Share done, 0 to 1, and what is being done, in words. */
  progress(share: number, says: string): void
  /** Runs `act` once: its result is recorded, and a job that is begun again gets the recorded result instead. */
  step<T extends JsonObject>(name: string, act: () => Promise<T>): Promise<T>
}

/** An operation bound to the code that carries it out. */
export interface OperationBinding {
  readonly declaration: OperationDeclaration
  readonly act: (input: never, call: JobCall) => Promise<unknown> | AsyncIterable<unknown>
  /** Of a job that says what it begins: see `Conclude`. */
  readonly conclude?: Conclude<never>
}

/**
 * Says the ends of what a job has begun, when it ends without its code: somebody cancelled it while no control lived, or it
 * was begun too often. `because` says why, in words.
 */
export type Conclude<Input> = (input: Input, call: JobCall, because: string) => Promise<void>

/** Binds an operation that answers with a value. */
export function bindValue<O extends OperationDeclaration>(
  declaration: O,
  act: (input: InputOf<O>, call: Call) => Promise<OutputOf<O>>,
): OperationBinding {
  return { declaration, act }
}

/** Binds an operation that answers with a stream of items. */
export function bindStream<O extends OperationDeclaration>(
  declaration: O,
  act: (input: InputOf<O>, call: Call) => AsyncIterable<OutputOf<O>>,
): OperationBinding {
  return { declaration, act }
}

/** Binds an operation that answers with a job. */
export function bindJob<O extends OperationDeclaration>(
  declaration: O,
  act: (input: InputOf<O>, call: JobCall) => Promise<OutputOf<O>>,
  conclude?: Conclude<InputOf<O>>,
): OperationBinding {
  return { declaration, act, ...(conclude === undefined ? {} : { conclude }) }
}

/** Something that a check found: it is said before anything starts. */
export interface Finding {
  readonly severity: Severity
  /** Path of the key in the environment file, when it is about one. */
  readonly path: string | null
  readonly message: string
  readonly hint: string | null
}

/** A room of the house, created without effects. */
export interface Capability {
  readonly name: string
  readonly operations: readonly OperationBinding[]
  /** Looks at the world without touching it. */
  check(): Promise<readonly Finding[]>
  start(): Promise<void>
  stop(): Promise<void>
}
