/** A request as a log knows it. */
export interface LoggedRequest {
  /** When it was written down, which is when it was over; milliseconds since the epoch. */
  readonly atMs: number
  /** How long it took; null: the log does not say. */
  readonly durationMs: number | null
  readonly address: string
  readonly method: string
  /** As asked for, with its query. */
  readonly target: string
  /** Empty: the log does not say. */
  readonly host: string
  /** Empty: nobody. */
  readonly user: string
  readonly userAgent: string
  /** 0: the log does not say. */
  readonly status: number
}

/** A request as a roll-up knows it. */
export interface RolledRequest {
  /** Somewhere in its minute. */
  readonly atMs: number
  /** Name of the route that it came by then. */
  readonly route: string
  /** Who sent it; null: somebody of those who were not told apart. */
  readonly sender: {
    readonly address: string
    /** As `user:42`; empty: it proved nothing. */
    readonly who: string
  } | null
}
