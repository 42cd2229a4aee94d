import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../../../../kernel/std/index.ts'
import type { FromKeeping, KeepingGround, ToKeeping } from './messages.ts'

/** Keeps the table of limits in a file, in a thread of its own: neither the main thread nor one that serves waits for it. */
export interface TableKeeper {
  /** From now on this table is the one to be kept. */
  keep(table: SharedArrayBuffer): void
  /** Writes a last time; gives a disk that does not answer up after 2 s. */
  end(): Promise<void>
}

/** What a keeper works with. */
export interface TableKeeperParts extends KeepingGround {
  readonly clock: Clock
  readonly say: (message: string) => void
}

const patienceMs = 2000
/** A thread that ended is not replaced sooner. */
const replaceMs = 10_000

/** Creates the keeper; its thread starts with the first table. */
export function createTableKeeper(parts: TableKeeperParts): TableKeeper {
  const { clock, say, path, seed, timeOriginMs } = parts
  const closing = new AbortController()
  let table: SharedArrayBuffer | null = null
  let thread: KeepingThread | null = null
  const open = (): KeepingThread => {
    const opened = openThread({ path, seed, timeOriginMs }, say)
    void opened.ended.then(async (why) => {
      if (thread === opened) thread = null
      if (closing.signal.aborted) return
      say(`the thread that keeps the limits on disk ended: ${why}`)
      await clock.sleep(replaceMs, closing.signal).then(keep, () => undefined)
    })
    return opened
  }
  const keep = (): void => {
    if (table === null || closing.signal.aborted) return
    thread ??= open()
    thread.tell({ say: 'keep', table })
  }
  return {
    keep: (next) => {
      table = next
      keep()
    },
    end: async () => {
      closing.abort()
      if (thread === null) return
      thread.tell({ say: 'end' })
      const { ended, stop } = thread
      const enough = new AbortController()
      await Promise.race([ended, clock.sleep(patienceMs, enough.signal).catch(() => undefined)])
      enough.abort()
      await stop()
    },
  }
}

interface KeepingThread {
  readonly tell: (message: ToKeeping) => void
  /** Resolves with why. */
  readonly ended: Promise<string>
  readonly stop: () => Promise<unknown>
}

function openThread(ground: KeepingGround, say: (message: string) => void): KeepingThread {
  const script = new URL(`./thread${extname(import.meta.url)}`, import.meta.url)
  const worker = new Worker(script, { workerData: ground, name: 'edge-limits' })
  worker.on('message', ({ failed }: FromKeeping) => say(`the limits cannot be kept on disk: ${failed}`))
  const ended = new Promise<string>((resolve) => {
    worker.once('error', (error) => resolve(error.message))
    worker.once('exit', (code) => resolve(`exit code ${code}`))
  })
  return { ended, tell: (message) => worker.postMessage(message), stop: () => worker.terminate() }
}
