import { HoldfastError, systemClock, systemRandom, type Clock, type Random } from '../../std/index.ts'
import { createStamp, type Stamp } from '../draft.ts'
import { createListeners, followTimeline, type Listeners } from '../follow.ts'
import { importInto, type ImportTarget } from '../import.ts'
import { headOf, refused } from '../lines.ts'
import type { Head, Timeline, Verification, VerifyOptions } from '../port.ts'
import { searchFor } from '../query.ts'
import { createAppender, type Appender } from './appender.ts'
import type { Channel } from '../../store/index.ts'
import { startThread } from './thread.ts'
import type { WriterCalls, WriterNotes } from './protocol.ts'
import { factOfRow } from './schema.ts'
import { exportWith, startReaders, verifyWith, type Readers } from './readers.ts'

/** What a timeline on disk is opened with. */
export interface OpenOptions {
  /** The database file; its directory is made when it is missing. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly path: string
  readonly clock?: Clock
  readonly random?: Random
  /** Threads that read, each with its own connection. Default 1. */
  readonly readers?: number
  /** Bound of the file in bytes; an append beyond it fails with `timeline.disk-full`. Default: the disk. */
  readonly maxFileBytes?: number
  /** Facts that may wait for the disk; beyond them `timeline.full`. Default 100,000. */
  readonly maxWaitingFacts?: number
  /** Bytes of facts that may wait for the disk; beyond them `timeline.full`. Default 64 MiB. */
  readonly maxWaitingBytes?: number
}

type Writer = Channel<WriterCalls, WriterNotes>

/**
 * Opens the timeline in an SQLite file, creating it when there is none. One thread writes, others read; this thread
 * never waits for the disk. Errors: `timeline.locked`, `timeline.unwritable`, `timeline.corrupt`, `timeline.disk-full`,
 * `timeline.disk-failed`.
 */
export async function openTimeline(options: OpenOptions): Promise<Timeline> {
  const writer = startThread<WriterCalls, WriterNotes>('writer')
  const readers = startReaders(options.readers ?? 1)
  try {
    const { path, head } = await writer.call('open', {
      path: options.path,
      maxFileBytes: options.maxFileBytes ?? null,
    })
    await readers.open(path)
    return createTimeline({ writer, readers, head }, options)
  } catch (error) {
    await readers.close()
    await writer.close()
    throw error
  }
}

/**
 * Verifies a timeline file without opening it as its writer: offline, or beside the process that has it.
 * Errors: `timeline.corrupt`, `timeline.unwritable` (it cannot be opened).
 */
export async function verifyFile(path: string, options: VerifyOptions = {}): Promise<Verification> {
  const readers = startReaders(1)
  try {
    return await verifyWith(readers, await readers.open(path), options)
  } finally {
    await readers.close()
  }
}

interface Parts {
  readonly writer: Writer
  readonly readers: Readers
  readonly head: Head
}

/** What the parts of one open timeline share. */
interface Core extends Omit<Parts, 'head'> {
  readonly clock: Clock
  readonly random: Random
  readonly listeners: Listeners
  readonly closing: AbortController
  readonly appender: Appender
  /** Changes with every transaction. */
  readonly status: Status
  readonly checkOpen: () => void
  readonly checkWritable: () => void
}

interface Status {
  head: Head
  isImporting: boolean
  stamp: Stamp
}

function createTimeline(parts: Parts, options: OpenOptions): Timeline {
  const core = createCore(parts, options)
  const { appender, closing, listeners, readers, writer, status, checkOpen } = core
  const timeline: Timeline = {
    append: async (facts) => {
      core.checkWritable()
      const drafts = facts.map((fact) => status.stamp(fact))
      return drafts.length === 0 ? [] : await appender.append(drafts)
    },
    onAppended: (listener) => listeners.add(listener),
    read: async (query) => {
      checkOpen()
      return (await readers.call('read', searchFor(query))).map(factOfRow)
    },
    follow: (query, signal) =>
      followTimeline(
        { timeline, lastSequence: () => status.head.sequence, closed: closing.signal },
        query,
        signal,
      ),
    head: async () => {
      checkOpen()
      return status.head.sequence === 0 ? null : status.head
    },
    verify: async (verifyOptions = {}) => {
      checkOpen()
      return await verifyWith(readers, status.head, verifyOptions)
    },
    exportLines: () => {
      checkOpen()
      return exportWith(readers, status.head)
    },
    importLines: async (lines) => await importToWriter(core, lines),
    ...upkeep(core),
    close: async () => {
      if (closing.signal.aborted) return
      closing.abort()
      await appender.drained()
      await readers.close()
      await writer.close()
    },
  }
  return timeline
}

function createCore({ writer, readers, head }: Parts, options: OpenOptions): Core {
  const { clock = systemClock, random = systemRandom } = options
  const { maxWaitingFacts = 100_000, maxWaitingBytes = 64 * 2 ** 20 } = options
  const status: Status = { head, isImporting: false, stamp: createStamp(clock, random, head.at) }
  const listeners = createListeners()
  const closing = new AbortController()
  const appender = createAppender(writer, { maxWaitingFacts, maxWaitingBytes }, (facts) => {
    status.head = headOf(facts.at(-1) ?? status.head)
    listeners.tell(facts)
  })
  const checkOpen = (): void => {
    if (closing.signal.aborted) throw closedError()
  }
  const checkWritable = (): void => {
    checkOpen()
    if (status.isImporting) throw importingError()
  }
  return { writer, readers, clock, random, status, listeners, closing, appender, checkOpen, checkWritable }
}

type Upkeep = Pick<Timeline, 'erase' | 'loadCheckpoint' | 'saveCheckpoint' | 'retain'>

function upkeep({ writer: thread, appender, clock, checkWritable }: Core): Upkeep {
  const registered = new Set<string>()
  const writer: Pick<Writer, 'call'> = {
    call: async (name, ask) => {
      checkWritable()
      appender.flush()
      return await thread.call(name, ask)
    },
  }
  return {
    erase: async (sequence) => {
      return await writer.call('erase', sequence)
    },
    loadCheckpoint: async (name) => {
      registered.add(name)
      return await writer.call('loadCheckpoint', { name, nowMs: clock.now() })
    },
    saveCheckpoint: async (name, { sequence, state }) => {
      const text = JSON.stringify(state)
      await writer.call('saveCheckpoint', { name, sequence, text, nowMs: clock.now() })
    },
    retain: async (retention) => {
      let removed = 0
      for (;;) {
        const ask = { ...retention, nowMs: clock.now(), registered: [...registered] }
        const count = await writer.call('retain', ask)
        if (count === 0) return removed
        removed += count
      }
    },
  }
}

async function importToWriter(core: Core, lines: AsyncIterable<string>): Promise<number> {
  core.checkWritable()
  if (core.listeners.size > 0) throw refused('views or followers listen to the timeline already')
  core.status.isImporting = true
  try {
    await core.appender.drained()
    if (!(await core.writer.call('beginImport', null))) throw refused('the timeline is not empty')
    return await importBegun(core, lines)
  } finally {
    core.status.isImporting = false
  }
}

async function importBegun(
  { writer, clock, random, status }: Core,
  lines: AsyncIterable<string>,
): Promise<number> {
  const target: ImportTarget = {
    take: async (entries) => void (await writer.call('takeImport', entries)),
    finish: async (base, head, checkpoints) => {
      await writer.call('finishImport', { base, head, checkpoints, nowMs: clock.now() })
      status.head = head
      status.stamp = createStamp(clock, random, head.at)
    },
  }
  try {
    return await importInto(target, lines)
  } catch (error) {
    await writer.call('abortImport', null)
    throw error
  }
}

function closedError(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.closed',
    kind: 'operational',
    message: 'the timeline is closed',
  })
}

function importingError(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.importing',
    kind: 'operational',
    message: 'an import into the timeline is under way',
    hint: 'wait until it has ended',
  })
}
