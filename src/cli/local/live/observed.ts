/** A TCP socket on which a service waits. */
export interface Listening {
  readonly address: string
  readonly port: number
  readonly loopback: boolean
}

/** How a process ended; both null: nobody can know. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

/** What was seen of one start of a service. */
export interface Start {
  /** What it was told in PORT, or the port on which it insists; null: it serves none. */
  readonly port: number | null
  /** Set when it ended by itself before it was asked to. */
  readonly ended: Ended | null
  /** Milliseconds until it was well; null: it never was. */
  readonly wellAfterMs: number | null
  /** Why it was not well when it was last asked; empty: it was. */
  readonly lastIll: string
  /** It had said that it was well, and then this; null: it stayed well. */
  readonly wavered: string | null
  /** Null: this machine does not tell. */
  readonly listening: readonly Listening[] | null
}

/** What became of one request: the status of its answer, or why there was none. */
export type Answered = { readonly status: number } | { readonly failed: string }

/** What was seen when a service was asked to end. */
export interface Stop {
  /** A request whose head was half sent at SIGTERM; null: not tried. */
  readonly held: Answered | null
  /** A request that the service was working on at SIGTERM; null: none was named, or it was answered too early. */
  readonly slow: Answered | null
  /** A request on a new connection after SIGTERM; null: not tried. */
  readonly newcomer: Answered | null
  readonly ended: Ended | null
  /** From SIGTERM to its end. */
  readonly tookMs: number
  /** Processes that it left behind. */
  readonly left: number
}

/** Everything that was seen of a service. */
export interface Observed {
  readonly expected: Expected
  readonly first: Start
  /** Status of a path that it cannot know, beside its health check; null: not tried. */
  readonly nonsense: Answered | null
  readonly output: Output
  readonly stop: Stop
  /** A second start on the same port, at once; null: not tried. */
  readonly again: Start | null
  /** A start with another PORT; null: not tried, or it insists on its own. */
  readonly other: Start | null
}

/** What the environment file says of a service. */
export interface Expected {
  readonly listens: boolean
  /** Port on which it insists. */
  readonly fixedPort: number | null
  readonly health: string | null
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly mayExpose: boolean
  /** Path of a request that takes a while; null: none was named. */
  readonly slowPath: string | null
}

/** What a service wrote. */
export interface Output {
  /** To standard output and error. */
  readonly bytes: number
  /** Files that look like logs and were written to, relative to its directory. */
  readonly logs: readonly string[]
  /** Other files below its directory that it holds open for writing; null: this machine does not tell. */
  readonly open: readonly string[] | null
}
