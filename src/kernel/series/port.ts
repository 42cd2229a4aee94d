/** How a measure behaves: a counter is summed, a gauge averaged, a distribution kept as a histogram. */
export type MeasureKind = 'counter' | 'gauge' | 'distribution'

/** A named line of measurements, as `edge.requests{route="POST /login",class="2xx"}`. */
export interface SeriesKey {
  /** `<room>.<noun>`, units last: `edge.latency-ms`. */
  readonly name: string
  /** At most 4 labels. */
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
  /** Only for distributions. */
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
  readonly from: number
  readonly to: number
  /** At most this many points per series (10 to 2,000); the finest resolution that fits is taken. */
  readonly maxPoints?: number
}

/** A series as answered. */
export interface SeriesAnswer {
  readonly key: SeriesKey
  readonly kind: MeasureKind
  readonly stepMs: number
  readonly points: readonly Point[]
}

/** The bounded multi-resolution store: seconds for an hour, minutes for days, hours for a year. */
export interface SeriesStore {
  /** Adds one measurement. Silently counts (never grows) past the bound on series; see `dropped`. */
  record(key: SeriesKey, kind: MeasureKind, measurement: Measurement): void
  query(query: SeriesQuery): Promise<readonly SeriesAnswer[]>
  /** Names and labels that exist. */
  list(): Promise<readonly SeriesKey[]>
  /** Measurements refused because the bound on the number of series was reached. */
  readonly dropped: number
  /** Writes what is in memory to disk. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** A value at a time, or a roll-up of many. */
export interface Measurement {
  readonly at: number
  readonly count: number
  readonly sum: number
  readonly minimum: number
  readonly maximum: number
  readonly histogram?: Histogram
}
