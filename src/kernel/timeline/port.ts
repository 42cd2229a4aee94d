import type { FactDeclaration, JsonObject, Severity } from '../std/index.ts'

/** A fact that is about to be recorded. */
export interface NewFact {
  /** `<room>.<past-tense>`. */
  readonly kind: string
  readonly severity: Severity
  /** What it is about, as `service:web` or `limit:edge.route./login`; null: the whole environment. */
  readonly subject: string | null
  /** Who made it happen, as `person:ada`, `token:ci`, or `holdfast` itself. */
  readonly actor: string
  /** Ties facts of one undertaking together (an operation's or a job's id); null: none. */
  readonly correlation: string | null
  readonly data: JsonObject
}

/** A fact on the timeline. */
export interface Fact extends Omit<NewFact, 'data'> {
  /** Position, from 1, without gaps at the time of writing; retention removes from the low end. */
  readonly sequence: number
  /** UUIDv7. */
  readonly id: string
  /** When it was recorded: milliseconds since the epoch; never less than the previous fact's. */
  readonly at: number
  /** Null when the payload was erased; the chain still verifies. */
  readonly data: JsonObject | null
  /** This link of the chain, lower-case hex SHA-256. */
  readonly hash: string
}

/** Which facts; all given conditions hold at once. */
export interface FactQuery {
  /** Only after this sequence number. */
  readonly after?: number
  /** Only before this sequence number. */
  readonly before?: number
  /** Only at or after this time (ms since the epoch). */
  readonly since?: number
  /** Only before this time. */
  readonly until?: number
  /** Exact kinds, or whole rooms written `environment.*`. */
  readonly kinds?: readonly string[]
  readonly subject?: string
  readonly correlation?: string
  readonly minimumSeverity?: Severity
  /** `oldest` (default) or `newest` first. */
  readonly order?: 'oldest' | 'newest'
  /** 1 to 10,000; 100 when absent. */
  readonly limit?: number
}

/** The end of the chain; publish it elsewhere to anchor the chain (a local key alone proves nothing). */
export interface Head {
  readonly sequence: number
  readonly hash: string
  readonly at: number
}

/** What a verification found. */
export interface Verification {
  readonly checked: number
  readonly head: Head | null
  /** The first link that does not hold, or null. */
  readonly broken: { readonly sequence: number; readonly why: string } | null
}

/** How much of the past is kept; a fact goes when either bound says so and every checkpoint has passed it. */
export interface Retention {
  readonly maxAgeMs: number
  readonly maxSizeBytes: number
}

/** A stored state of a fold: everything up to and with `sequence` is in it. */
export interface Checkpoint {
  readonly sequence: number
  readonly state: JsonObject
}

/** Progress of a long look at the chain, 0 to 1. */
export type Progress = (share: number) => void

/** The append-only, hash-chained log of everything that happened. */
export interface Timeline {
  /** Resolves when the facts are on disk; concurrent calls share one fsync. Errors: `timeline.full`, `timeline.closed`. */
  append(facts: readonly NewFact[]): Promise<readonly Fact[]>
  read(query: FactQuery): Promise<readonly Fact[]>
  /** All matching facts from `query.after` (default: now) on, live, in order, until the signal aborts. */
  follow(query: FactQuery, signal: AbortSignal): AsyncIterable<Fact>
  head(): Promise<Head | null>
  /** Walks the chain; also checks an earlier head (an anchor kept elsewhere) when given. */
  verify(options?: { readonly anchor?: Head; readonly onProgress?: Progress }): Promise<Verification>
  /** Erases the payload and salt of one fact; the chain still verifies. Returns false when there is none. */
  erase(sequence: number): Promise<boolean>
  /** All facts as JSON lines with everything that `importFacts` needs to rebuild the same chain. */
  exportLines(): AsyncIterable<string>
  /** Fills an empty timeline from `exportLines`; refuses a broken chain. Errors: `timeline.import-refused`. */
  importLines(lines: AsyncIterable<string>): Promise<number>
  loadCheckpoint(name: string): Promise<Checkpoint | null>
  saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<void>
  /** Applies retention; returns how many facts went. */
  retain(retention: Retention): Promise<number>
  close(): Promise<void>
}

/** A fold: what we know, derived from what happened. Pure. */
export interface Fold<State extends JsonObject> {
  /** Name of its checkpoint; changes when the shape of the state does (`jobs@1`). */
  readonly name: string
  readonly initial: State
  step(state: State, fact: Fact): State
}

/** A running fold: always as new as the last fact appended through this process. */
export interface View<State> {
  readonly state: State
}

/** Builds a fact from its declaration, checking the data. */
export type FactOf<D> = D extends FactDeclaration<infer Data> ? Data : never
