import type { FactDeclaration, JsonObject, Severity } from '../std/index.ts'

/** A fact that is about to be recorded. */
export interface NewFact {
  /** `<room>.<past-tense>`. */
  readonly kind: string
  readonly severity: Severity
  /** What it is about, as `service:web` or `limit:edge.route./login`; null: the whole environment. */
  readonly subject: string | null
  /** Who made it happen, as `person:<name>`, `token:ci`, or `holdfast` itself. */
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
  /** How many links were checked. */
  readonly checked: number
  /** The end of the chain as far as it holds; null: the timeline is empty and always was. */
  readonly head: Head | null
  /** Where the chain begins: the last fact that retention removed, taken on trust; null: at the very first fact. */
  readonly base: Head | null
  /** Whether the given anchor lies on the chain; `too-old`: retention has removed its fact, nothing can be said. */
  readonly anchor: 'none' | 'held' | 'too-old' | 'broken'
  /** The first link that does not hold, or null. */
  readonly broken: { readonly sequence: number; readonly why: string } | null
}

/**
 * How much of the past is kept; a fact goes when either bound says so and every checkpoint has passed it.
 * Oldest first, in whole blocks of 128, whatever the severity: who wants to keep grave facts longer exports them.
 */
export interface Retention {
  /** Infinity: any age. */
  readonly maxAgeMs: number
  /** What the store may occupy, index included. Infinity: any size. */
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
  /**
   * Resolves when the facts are on disk, all or none; concurrent calls share one fsync. Errors: `timeline.full` (too much
   * waits for the disk), `timeline.disk-full`, `timeline.disk-failed`, `timeline.closed`, and `timeline.invalid-fact`
   * or `timeline.fact-too-large` (a bug of the caller).
   */
  append(facts: readonly NewFact[]): Promise<readonly Fact[]>
  /**
   * Calls the listener with every batch of facts that is appended through this process, in order and before `append`
   * resolves, until the returned function is called. The listener must be quick and must not throw.
   */
  onAppended(listener: (facts: readonly Fact[]) => void): () => void
  /** The facts that match, as they are on disk. Errors: `timeline.invalid-query`, `timeline.full`, `timeline.closed`. */
  read(query: FactQuery): Promise<readonly Fact[]>
  /**
   * All matching facts from `query.after` (default: now) on, live, in order, without gaps or duplicates, until the
   * signal aborts or the timeline closes. `limit` and `order` mean nothing here. A follower slower than
   * retention misses what was removed.
   */
  follow(query: FactQuery, signal: AbortSignal): AsyncIterable<Fact>
  /** The end of the chain; null: nothing was ever appended. */
  head(): Promise<Head | null>
  /** Walks the chain; also checks an earlier head (an anchor kept elsewhere) when given. */
  verify(options?: VerifyOptions): Promise<Verification>
  /** Erases the payload and salt of one fact, for good; the chain still verifies. Returns false when there is no such fact. */
  erase(sequence: number): Promise<boolean>
  /** All facts as JSON lines with everything that `importLines` needs to rebuild the same chain; the room's README has the format. */
  exportLines(): AsyncIterable<string>
  /**
   * Fills an empty timeline, to which nothing listens yet, from `exportLines`, all or nothing; returns how many facts
   * came. A broken chain is refused and the first broken link named. Errors: `timeline.import-refused`.
   */
  importLines(lines: AsyncIterable<string>): Promise<number>
  /** The last saved state of a fold, or null. Also registers the fold: from now on retention does not pass its checkpoint. */
  loadCheckpoint(name: string): Promise<Checkpoint | null>
  /** Stores the state of a fold, durably. */
  saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<void>
  /** Applies retention; returns how many facts went. */
  retain(retention: Retention): Promise<number>
  /** Finishes what was begun and lets go of the store; followers end. */
  close(): Promise<void>
}

/** What a verification looks at besides the chain itself. */
export interface VerifyOptions {
  readonly anchor?: Head | undefined
  readonly onProgress?: Progress | undefined
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
  /** Errors: `timeline.fold-failed` (the fold threw; a bug). */
  readonly state: State
}

/** Builds a fact from its declaration, checking the data. */
export type FactOf<D> = D extends FactDeclaration<infer Data> ? Data : never
