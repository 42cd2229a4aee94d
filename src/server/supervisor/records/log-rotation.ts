import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../kernel/std/index.ts'
import { decideLook, LONGEST_LOOK_MS, type LogSize } from './decide-look.ts'
import { rotateLog, sizeOf, type RotationRule } from './rotate.ts'

/** What a rotation works with. */
export interface LogRotationParts {
  readonly clock: Clock
  /** Logs are `*.log` in here and one level below. */
  readonly directory: string
  readonly rule: RotationRule
  /** Runs work on a path that may fail, and notes what went wrong with it. */
  readonly attempt: (path: string, work: () => void) => void
}

/** A log that cannot be rotated (the disk is full, say) is tried again after this, for each try copies. */
const AGAIN_MS = 2000

interface Seen extends LogSize {
  /** Not rotated before; monotonic milliseconds. */
  readonly notBeforeMs: number
}

const UNSEEN = { notBeforeMs: 0 }

/**
 * Keeps logs within the rule, however fast they are written: every log is looked at each tenth of a second, and one
 * that grows fast as often as its rate asks. So a log holds at most the rule's size and what its writer adds within a
 * tenth of a second and the time of one rotation. Runs until the returned function is called.
 */
export function startLogRotation(parts: LogRotationParts): () => void {
  const { clock, rule } = parts
  const stopped = new AbortController()
  const seen = new Map<string, Seen>()
  /** Logs that are looked at sooner than the others. */
  const hurried = new Set<string>()

  const look = (log: string): void => {
    const before = seen.get(log)
    const { notBeforeMs } = before ?? UNSEEN
    const now = { sizeBytes: sizeOf(log), atMs: clock.monotonicMs() }
    const decision = decideLook(before, now, rule)
    const rotate = decision.rotate && now.atMs >= notBeforeMs
    seen.set(log, { ...now, notBeforeMs: rotate ? now.atMs + AGAIN_MS : notBeforeMs })
    if (decision.nextMs < LONGEST_LOOK_MS) lookAfter(log, decision.nextMs)
    if (!rotate) return
    rotateLog(log, rule)
    seen.set(log, { sizeBytes: 0, atMs: clock.monotonicMs(), ...UNSEEN })
  }
  const attempt = (log: string): void => parts.attempt(log, () => look(log))
  const lookAfter = (log: string, delayMs: number): void => {
    if (hurried.has(log)) return
    hurried.add(log)
    const again = (): void => {
      hurried.delete(log)
      attempt(log)
    }
    void clock.sleep(delayMs, stopped.signal).then(again, () => undefined)
  }
  const scan = (): void => {
    const logs = new Set(logsIn(parts.directory))
    for (const log of seen.keys()) if (!logs.has(log)) seen.delete(log)
    for (const log of logs) attempt(log)
  }
  const endTicks = clock.every(LONGEST_LOOK_MS, () => parts.attempt(parts.directory, scan))
  return () => {
    endTicks()
    stopped.abort()
  }
}

function logsIn(directory: string): readonly string[] {
  const entries = readdirSync(directory, { withFileTypes: true })
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name))
  const inside = below.flatMap((place) => readdirSync(place).map((name) => join(place, name)))
  const here = entries.filter((entry) => entry.isFile()).map((entry) => join(directory, entry.name))
  return [...here, ...inside].filter((path) => path.endsWith('.log'))
}
