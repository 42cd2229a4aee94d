import { extname } from 'node:path'
import type { LimitJournal } from '../../capabilities/limits/ports.ts'
import { startChannel, type Channel } from '../../kernel/store/index.ts'
import { ended, full } from './failures.ts'
import type { JournalCalls } from './protocol.ts'

/** Entries that may wait for the disk. */
const mostWaiting = 200_000

/** What a journal on disk is kept with. */
export interface JournalOptions {
  /** The database file; its directory is made when it is missing. Beside it lie `-wal` and its mark, `.head`. */
  readonly path: string
  /** Bound of the file in bytes; an append beyond it fails as on a full disk. Default: the disk. */
  readonly maxFileBytes?: number
}

type Thread = Channel<JournalCalls, object>

function startThread(): Thread {
  return startChannel<JournalCalls, object>({
    worker: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
    name: 'limit-journal',
    data: null,
    ended,
    overloaded: full,
  })
}

interface Waiting {
  readonly entries: readonly string[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Group commit: while one transaction is on its way to the disk, what comes meanwhile gathers for the next. */
function createAppender(call: Thread['call']): Pick<LimitJournal, 'append'> & { flush(): void } {
  let gathered: Waiting[] = []
  let waiting = 0
  let underway = 0
  let isScheduled = false
  const flush = (): void => {
    if (gathered.length === 0) return
    const batch = gathered
    gathered = []
    underway++
    const entries = batch.flatMap((each) => each.entries)
    call('append', { texts: entries.join('\n'), count: entries.length })
      .then(
        () => batch.forEach(({ resolve }) => resolve()),
        (error: unknown) => batch.forEach(({ reject }) => reject(error)),
      )
      .finally(() => {
        underway--
        waiting -= entries.length
        schedule()
      })
  }
  /** What is appended in the same turn of the event loop, or while a transaction is under way, shares the next one. */
  const schedule = (): void => {
    if (isScheduled || gathered.length === 0 || underway > 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      if (underway === 0) flush()
    })
  }
  return {
    flush,
    append: (entries) =>
      new Promise((resolve, reject) => {
        if (entries.length === 0) return resolve()
        if (waiting + entries.length > mostWaiting) return reject(full(waiting))
        waiting += entries.length
        gathered.push({ entries, resolve, reject })
        schedule()
      }),
  }
}

/**
 * A journal in an SQLite file (WAL, `synchronous=FULL`), written by a thread of its own with group commit. Opening
 * again after a failure is allowed.
 */
export function sqliteJournal({ path, maxFileBytes }: JournalOptions): LimitJournal {
  let thread: Thread | null = null
  const call: Thread['call'] = (name, ask) =>
    thread === null ? Promise.reject(ended(new Error('it is not open'))) : thread.call(name, ask)
  const appender = createAppender(call)
  return {
    open: async (nowMs) => {
      const started = startThread()
      try {
        const kept = await started.call('open', { path, nowMs, maxFileBytes: maxFileBytes ?? null })
        thread = started
        return kept
      } catch (error) {
        await started.close()
        throw error
      }
    },
    append: (entries) => appender.append(entries),
    save: async (snapshot, remembered, nowMs) => {
      appender.flush()
      await call('save', { snapshot, remembered, nowMs })
    },
    keepDraft: async (text) => {
      await call('keepDraft', text)
    },
    close: async () => {
      appender.flush()
      await thread?.close()
      thread = null
    },
  }
}
