import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { admittedIn, keepSnapshotFile, saveTable } from '../../../../../kernel/limit/index.ts'
import { plainError, systemClock } from '../../../../../kernel/std/index.ts'
import { mostTableBytes, type FromKeeping, type KeepingGround, type ToKeeping } from './messages.ts'

const everyMs = 2000
/** A disk is spared more than that: 2 MB a second. */
const bytesPerMs = 2000
/** So many times as long as it takes to go through the table, the table is left alone. */
const restFactor = 20

/** What of a table is on disk, and when to write again. */
class Keeping {
  readonly #ground: KeepingGround
  #table: SharedArrayBuffer | null = null
  /** What was admitted when it was written last; -1: it has not been. */
  #admitted = -1
  #restUntilMs = 0
  isEnding = false

  constructor(ground: KeepingGround) {
    this.#ground = ground
  }

  keep(table: SharedArrayBuffer): void {
    if (table !== this.#table) this.#admitted = -1
    this.#table = table
  }

  /** Null: nothing was taken since the last time, or that was not long ago. */
  save(): Uint8Array | null {
    const table = this.#table
    const startedMs = systemClock.monotonicMs()
    if (table === null || (startedMs < this.#restUntilMs && !this.isEnding)) return null
    const admitted = admittedIn(table)
    if (admitted === this.#admitted) return null
    const { seed, timeOriginMs } = this.#ground
    const nowMs = Math.floor(timeOriginMs + startedMs)
    const saved = saveTable(table, { seed, nowMs, mostBytes: mostTableBytes })
    this.#admitted = admitted
    const endedMs = systemClock.monotonicMs()
    const restMs = Math.max(saved.length / bytesPerMs, restFactor * (endedMs - startedMs))
    this.#restUntilMs = endedMs + restMs - everyMs / 2
    return saved
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const ground = workerData as KeepingGround
  const keeping = new Keeping(ground)
  const stop = keepSnapshotFile(ground.path, {
    clock: systemClock,
    everyMs,
    save: () => keeping.save(),
    failed: (error) => port.postMessage({ failed: plainError(error).message } satisfies FromKeeping),
  })
  port.on('message', (message: ToKeeping) => {
    if (message.say === 'keep') return keeping.keep(message.table)
    keeping.isEnding = true
    void stop().then(() => port.close())
  })
}
