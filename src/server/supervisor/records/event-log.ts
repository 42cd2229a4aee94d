import { open, type FileHandle } from 'node:fs/promises'
import { bareEvent, supervisorEvent, type SupervisorEvent } from '../../../contracts/supervisor.ts'
import { readFromHouse } from '../../../contracts/socket-door.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import { parseJson, readIfThere, replaceFile } from '../../files/index.ts'

/** An event before it has a number; what is not named is null or empty. */
export type EventParts = Pick<SupervisorEvent, 'what' | 'subject'> & Partial<SupervisorEvent>

/** What the supervisor saw, numbered from 1 without gaps, kept over restarts. */
export interface EventLog {
  /** Takes an event; it gets readable when it is on disk. */
  record(parts: EventParts): void
  /** Events after a number, oldest first, at most `most`. A number beyond the newest (the log was lost) reads from the start. */
  after(number: number, most: number): readonly SupervisorEvent[]
  /** Number of the newest readable event; 0 when there is none. */
  newest(): number
  /** Resolves when an event gets readable, after `waitMs`, or when the signal aborts. */
  changed(waitMs: number, signal: AbortSignal): Promise<void>
  /** What is wrong with the file, in words, or null. */
  note(): string | null
  /** Writes what is not written and closes the file. */
  close(): Promise<void>
}

/** How much is kept. */
export interface EventBounds {
  readonly events: number
  readonly sizeBytes: number
}

/** The newest 10,000, or 8 MiB of them. */
export const defaultEventBounds: EventBounds = { events: 10_000, sizeBytes: 8 * 2 ** 20 }

/** Opens (or creates) the log. A torn last line is dropped, a broken one before it is left out and noted. */
export function openEventLog(file: string, clock: Clock, bounds = defaultEventBounds): EventLog {
  return new FileEventLog(file, clock, bounds)
}

interface Kept {
  readonly event: SupervisorEvent
  readonly line: string
}

class FileEventLog implements EventLog {
  readonly #file: string
  readonly #clock: Clock
  readonly #bounds: EventBounds
  #kept: Kept[] = []
  #keptBytes = 0
  #pending: Kept[] = []
  #lastNumber = 0
  #handle: FileHandle | null = null
  #brokenNote: string | null = null
  #writeNote: string | null = null
  #flushing: Promise<void> | null = null
  #waiters = new Set<() => void>()
  /** Whether the file differs from `#kept` in more than its end. */
  #rewrite = false

  constructor(file: string, clock: Clock, bounds: EventBounds) {
    this.#file = file
    this.#clock = clock
    this.#bounds = bounds
    this.#load(readIfThere(file) ?? '')
  }

  record(parts: EventParts): void {
    this.#lastNumber++
    const event = { ...bareEvent, ...parts, number: this.#lastNumber, at: this.#clock.now() }
    this.#pending.push({ event, line: `${JSON.stringify(event)}\n` })
    this.#flushing ??= this.#flush()
  }

  after(number: number, most: number): readonly SupervisorEvent[] {
    const from = number > this.newest() ? 0 : number
    const first = this.#kept.findIndex(({ event }) => event.number > from)
    return first < 0 ? [] : this.#kept.slice(first, first + most).map(({ event }) => event)
  }

  newest(): number {
    return this.#kept.at(-1)?.event.number ?? 0
  }

  async changed(waitMs: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    const wake = (): void => done.abort()
    this.#waiters.add(wake)
    const either = AbortSignal.any([signal, done.signal])
    await this.#clock.sleep(waitMs, either).catch(() => undefined)
    this.#waiters.delete(wake)
  }

  note(): string | null {
    return this.#writeNote ?? this.#brokenNote
  }

  async close(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing
    await this.#handle?.close()
    this.#handle = null
  }

  #load(text: string): void {
    const lines = text.split('\n')
    const torn = lines.pop() !== ''
    let broken = 0
    for (const line of lines) {
      const parsed = readFromHouse(supervisorEvent, parseJson(line))
      const follows = parsed.success && parsed.data.number > this.#lastNumber
      if (!follows) {
        broken++
        continue
      }
      this.#lastNumber = parsed.data.number
      this.#keep([{ event: parsed.data, line: `${line}\n` }])
    }
    this.#rewrite ||= torn || broken > 0
    if (broken > 0) this.#brokenNote = `${broken} lines of ${this.#file} were unreadable and are left out`
  }

  async #flush(): Promise<void> {
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#write(batch)
        this.#writeNote = null
      } catch (error) {
        // Better told from memory than not at all; the next write that succeeds brings the whole file up to date.
        this.#writeNote = `events are not on disk: ${(error as Error).message}`
        this.#rewrite = true
      }
      this.#keep(batch)
      for (const wake of this.#waiters) wake()
    }
    this.#flushing = null
  }

  #keep(batch: readonly Kept[]): void {
    this.#kept.push(...batch)
    this.#keptBytes += sizeOf(batch)
    const { events, sizeBytes } = this.#bounds
    if (this.#kept.length <= events * 1.2 && this.#keptBytes <= sizeBytes * 1.2) return
    let dropped = Math.max(0, this.#kept.length - events)
    let bytes = this.#keptBytes - sizeOf(this.#kept.slice(0, dropped))
    while (bytes > sizeBytes && dropped < this.#kept.length - 1) bytes -= sizeOf([this.#kept[dropped++]])
    this.#kept = this.#kept.slice(dropped)
    this.#keptBytes = bytes
    this.#rewrite = true
  }

  async #write(batch: readonly Kept[]): Promise<void> {
    if (this.#rewrite) {
      await this.#handle?.close()
      this.#handle = null
      replaceFile(this.#file, [...this.#kept, ...batch].map(({ line }) => line).join(''), true)
      this.#rewrite = false
      return
    }
    this.#handle ??= await open(this.#file, 'a', 0o600)
    await this.#handle.appendFile(batch.map(({ line }) => line).join(''))
    await this.#handle.datasync()
  }
}

function sizeOf(items: readonly (Kept | undefined)[]): number {
  return items.reduce((sum, item) => sum + (item?.line.length ?? 0), 0)
}
