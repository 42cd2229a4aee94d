import type { TrafficSpan } from '../../../contracts/edge.ts'
import {
  rolledRequests,
  type LoggedRequest,
  type Replay,
  type ReplayResult,
} from '../../../server/replay/index.ts'
import { parserFor, type LineParser, type LogFormat } from './formats.ts'

/** What came of a log, or of roll-ups. */
export interface Simulation {
  readonly source: 'logs' | 'roll-ups'
  /** Of a log. */
  readonly lines: number
  readonly bad: {
    readonly count: number
    readonly first: readonly { readonly line: number; readonly text: string }[]
  }
  /** Times of the first and the last request; null: there was none. */
  readonly from: number | null
  readonly until: number | null
  /** Requests that the log has more than a minute before an earlier one. */
  readonly disorderly: number
  /** By the changed file. */
  readonly changed: ReplayResult
  /** By the file to compare with. */
  readonly present: ReplayResult | null
}

/** Over what it is replayed. */
export interface SimulationGround {
  readonly changed: Replay
  readonly present: Replay | null
  /** Told from time to time how many lines or requests were replayed. */
  readonly onCount?: (count: number) => void
}

/** Logs that are replayed, and over what. */
export interface SimulationParts extends SimulationGround {
  readonly logs: readonly AsyncIterable<readonly string[]>[]
  readonly format: LogFormat
  /** For logs that do not say. */
  readonly host: string
}

/** Replays roll-ups, oldest first. */
export async function simulateSpans(
  spans: AsyncIterable<TrafficSpan>,
  { changed, present, onCount }: SimulationGround,
): Promise<Simulation> {
  const requestsOf = await rolledRequests()
  let from: number | null = null
  let until: number | null = null
  let count = 0
  for await (const span of spans) {
    for (const request of requestsOf(span)) {
      changed.takeRolled(request)
      present?.takeRolled(request)
      count++
    }
    from ??= span.from
    until = span.until
    onCount?.(count)
  }
  const none = { lines: 0, bad: { count: 0, first: [] }, disorderly: 0 }
  const [result, today] = [changed.result(), present?.result() ?? null]
  return { source: 'roll-ups', ...none, from, until, changed: result, present: today }
}

const mostShown = 3
const longestShown = 160
const disorderMs = 60_000

/** Replays logs, one after the other, on their own time; memory stays flat. */
export async function simulate(parts: SimulationParts): Promise<Simulation> {
  const tally = new Tally(parts)
  for (const log of parts.logs) {
    tally.begin()
    for await (const lines of log) {
      for (const line of lines) tally.take(line)
      parts.onCount?.(tally.lines)
    }
  }
  return tally.end()
}

class Tally {
  readonly #parts: SimulationParts
  readonly bad = { count: 0, first: [] as { line: number; text: string }[] }
  #parse: LineParser | null = null
  lines = 0
  from = Number.POSITIVE_INFINITY
  until = 0
  disorderly = 0

  constructor(parts: SimulationParts) {
    this.#parts = parts
  }

  /** Another log, which may be written in another way. */
  begin(): void {
    this.#parse = null
  }

  take(raw: string): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (line === '') return
    this.lines++
    this.#parse ??= parserFor(this.#parts.format, line)
    const entry = this.#parse(line)
    if (entry === null) this.#refuse(line)
    else this.#replay(entry)
  }

  end(): Simulation {
    const { changed, present } = this.#parts
    const { lines, bad, from, until, disorderly } = this
    const span = lines > bad.count ? { from, until } : { from: null, until: null }
    return {
      source: 'logs',
      lines,
      bad,
      ...span,
      disorderly,
      changed: changed.result(),
      present: present?.result() ?? null,
    }
  }

  #replay(entry: LoggedRequest): void {
    const { host, changed, present } = this.#parts
    const request = entry.host === '' && host !== '' ? { ...entry, host } : entry
    this.from = Math.min(this.from, entry.atMs)
    if (entry.atMs < this.until - disorderMs) this.disorderly++
    this.until = Math.max(this.until, entry.atMs)
    changed.take(request)
    present?.take(request)
  }

  #refuse(line: string): void {
    this.bad.count++
    if (this.bad.first.length < mostShown) {
      this.bad.first.push({ line: this.lines, text: line.slice(0, longestShown) })
    }
  }
}
