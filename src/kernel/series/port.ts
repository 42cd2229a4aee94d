/** How a measure behaves: a counter is summed, a gauge averaged, a distribution kept as a histogram. */
export type MeasureKind = 'counter' | 'gauge' | 'distribution'

/** A named line of measurements, as `edge.requests{route="POST /login",class="2xx"}`. */
export interface SeriesKey {
  /** `<room>.<noun>`, units last: `edge.latency-ms`; at most 100 characters. */
  readonly name: string
  /** At most 4, names to 60 characters, values to 300. */
  readonly labels: Readonly<Record<string, string>>
}

/** One step of a series: what was seen in [at, at + stepMs). */
export interface Point {
  /** Start of the step, milliseconds since the epoch. */
  readonly at: number
  readonly count: number
  readonly sum: number
  readonly minimum: number
  readonly maximum: number
  /** Only when it was measured with one (distributions). */
  readonly histogram?: Histogram
}

/** A mergeable histogram with logarithmic buckets of bounded relative error (DDSketch, VLDB 2019). */
export interface Histogram {
  /** Bucket index to count, sparse. */
  readonly buckets: Readonly<Record<string, number>>
}

/** What to draw. */
export interface SeriesQuery {
  readonly name: string
  /** Only series that carry all of these labels. */
  readonly labels?: Readonly<Record<string, string>>
  /** Milliseconds since the epoch; the step that it lies in is answered whole. */
  readonly from: number
  /** Excluded, but the step that it lies in is answered whole. */
  readonly to: number
  /** At most this many points per series (10 to 2,000; default 200): the finest step that fits and is still kept is taken. */
  readonly maxPoints?: number
}

/** A series as answered. */
export interface SeriesAnswer {
  readonly key: SeriesKey
  readonly kind: MeasureKind
  /** The same for all series of one answer. */
  readonly stepMs: number
  /** Oldest first; a step in which nothing was measured has no point. */
  readonly points: readonly Point[]
}

/** The bounded multi-resolution store: seconds for an hour, minutes for days, hours for a year. */
export interface SeriesStore {
  /** Adds one measurement, in memory. What is refused is counted, never thrown; see `dropped`. */
  record(key: SeriesKey, kind: MeasureKind, measurement: Measurement): void
  /**
   * All series that match. An answer holds at most 100,000 points: with many series the steps get longer.
   * Errors: `series.corrupt`, `series.busy`, `series.closed`, `series.unwritable`.
   */
  query(query: SeriesQuery): Promise<readonly SeriesAnswer[]>
  /** Names and labels that exist. */
  list(): Promise<readonly SeriesKey[]>
  /**
   * Measurements refused since the start: no room for a further series, a key that is too long, older than
   * 400 days, more than a minute ahead of the clock, not finite, or too many waiting for the disk.
   */
  readonly dropped: number
  /** Writes what is in memory to disk. Errors: `series.unwritable`, `series.corrupt`, `series.closed`. */
  flush(): Promise<void>
  /** Flushes and ends; a second call does nothing. */
  close(): Promise<void>
}

/** A value at a time, or a roll-up of many. */
export interface Measurement {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** More than 0. */
  readonly count: number
  readonly sum: number
  readonly minimum: number
  readonly maximum: number
  readonly histogram?: Histogram
}
