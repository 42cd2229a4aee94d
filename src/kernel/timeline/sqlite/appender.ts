import { HoldfastError } from '../../std/index.ts'
import { factAt, type Draft } from '../draft.ts'
import type { Fact } from '../port.ts'
import { severities } from '../query.ts'
import type { Channel } from './channel.ts'
import { draftCells, type DraftCells, type WriterCalls, type WriterNotes } from './protocol.ts'

/** Most facts in one transaction: a larger one would make the first of them wait for the last. */
const maxBatchFacts = 2048

/** So many drafts are sent on at once: then the writer inserts some while this thread prepares the next. */
const stageFacts = 16

/** Characters of a hash in hex. */
const hashLength = 64

/** What may wait for the disk. */
export interface AppendBounds {
  readonly maxWaitingFacts: number
  readonly maxWaitingBytes: number
}

/** Group commit: while one transaction is on its way to the disk, what comes meanwhile gathers for the next. */
export interface Appender {
  /** Errors: `timeline.full`, and those of the disk. */
  append(drafts: readonly Draft[]): Promise<readonly Fact[]>
  /** Sends on what has gathered, so that what is asked of the writer next comes after it. */
  flush(): void
  /** Resolves when nothing waits any more, provided that nothing more is appended. */
  drained(): Promise<void>
}

interface Waiting {
  readonly drafts: readonly Draft[]
  readonly resolve: (facts: readonly Fact[]) => void
  readonly reject: (error: unknown) => void
}

/** One transaction in the making. */
interface Batch {
  readonly waiting: Waiting[]
  /** Drafts that were not sent on yet. */
  unsent: DraftCells
  facts: number
  sizeBytes: number
}

/** Creates an appender. `onCommitted` is called with what each transaction brought, before its callers know. */
export function createAppender(
  writer: Pick<Channel<WriterCalls, WriterNotes>, 'call' | 'tell'>,
  bounds: AppendBounds,
  onCommitted: (facts: readonly Fact[]) => void,
): Appender {
  const load = createLoad(bounds)
  const underway = new Set<Promise<void>>()
  let batch = emptyBatch()
  let isScheduled = false

  const commit = async (sent: Batch): Promise<void> => {
    try {
      settle(sent.waiting, await writer.call('commit', sent.unsent), onCommitted)
    } catch (error) {
      for (const { reject } of sent.waiting) reject(error)
    }
    load.release(sent)
  }
  const flush = (): void => {
    if (batch.facts === 0) return
    const committed = commit(batch).finally(() => {
      underway.delete(committed)
      schedule()
    })
    underway.add(committed)
    batch = emptyBatch()
  }
  /** What is appended in the same turn of the event loop, or while a transaction is under way, shares the next one. */
  const schedule = (): void => {
    if (isScheduled || batch.facts === 0 || underway.size > 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      if (underway.size === 0) flush()
    })
  }
  const add = (waiting: Waiting, sizeBytes: number): void => {
    batch.waiting.push(waiting)
    batch.facts += waiting.drafts.length
    batch.sizeBytes += sizeBytes
    for (const draft of waiting.drafts) pushCells(batch.unsent, draft)
    if (batch.facts >= maxBatchFacts) return flush()
    if (batch.unsent.length >= stageFacts * draftCells) {
      writer.tell('stage', batch.unsent)
      batch.unsent = []
    }
    schedule()
  }
  return {
    append: (drafts) =>
      new Promise((resolve, reject) => {
        const sizeBytes = sizeOf(drafts)
        if (!load.take({ facts: drafts.length, sizeBytes })) return reject(full(bounds))
        add({ drafts, resolve, reject }, sizeBytes)
      }),
    flush,
    drained: async () => {
      flush()
      await Promise.all(underway)
    },
  }
}

interface Amount {
  readonly facts: number
  readonly sizeBytes: number
}

/** What waits for the disk, within its bounds. */
interface Load {
  /** False: there is no room for it. */
  take(amount: Amount): boolean
  release(amount: Amount): void
}

function createLoad({ maxWaitingFacts, maxWaitingBytes }: AppendBounds): Load {
  let waitingFacts = 0
  let waitingBytes = 0
  return {
    take: ({ facts, sizeBytes }) => {
      const fits = waitingFacts + facts <= maxWaitingFacts && waitingBytes + sizeBytes <= maxWaitingBytes
      if (!fits) return false
      waitingFacts += facts
      waitingBytes += sizeBytes
      return true
    },
    release: ({ facts, sizeBytes }) => {
      waitingFacts -= facts
      waitingBytes -= sizeBytes
    },
  }
}

function emptyBatch(): Batch {
  return { waiting: [], unsent: [], facts: 0, sizeBytes: 0 }
}

function settle(
  batch: readonly Waiting[],
  { first, hashes }: { readonly first: number; readonly hashes: string },
  onCommitted: (facts: readonly Fact[]) => void,
): void {
  let index = 0
  const settled = batch.map(({ drafts, resolve }) => {
    const facts = drafts.map((draft, offset) => {
      const place = index + offset
      return factAt(draft, first + place, hashes.slice(place * hashLength, (place + 1) * hashLength))
    })
    index += drafts.length
    return { facts, resolve }
  })
  onCommitted(settled.flatMap(({ facts }) => facts))
  for (const { facts, resolve } of settled) resolve(facts)
}

/** The order of `DraftCells`. */
function pushCells(cells: DraftCells, draft: Draft): void {
  const { id, at, kind, severity, subject, correlation, actor, payloadHash, salt, text } = draft
  cells.push(id, at, kind, severities.indexOf(severity), subject, correlation, actor, payloadHash, salt, text)
}

function sizeOf(drafts: readonly Draft[]): number {
  return drafts.reduce((sizeBytes, { text }) => sizeBytes + text.length + 512, 0)
}

function full({ maxWaitingFacts }: AppendBounds): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `more than ${maxWaitingFacts} facts, or too large ones, wait for the disk`,
    hint: 'nothing of this call was recorded; try again, and look why the disk is slow',
  })
}
