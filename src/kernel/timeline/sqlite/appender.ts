import { HoldfastError } from '../../std/index.ts'
import { placed, type Draft, type Unplaced } from '../draft.ts'
import type { Fact } from '../port.ts'
import type { Channel } from '../../store/index.ts'
import { joinDrafts, textOfDraft, type WriterCalls, type WriterNotes } from './protocol.ts'

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
  readonly facts: readonly Unplaced[]
  readonly texts: readonly string[]
  readonly sizeBytes: number
  readonly resolve: (facts: readonly Fact[]) => void
  readonly reject: (error: unknown) => void
}

/** One transaction in the making. */
interface Batch {
  readonly waiting: Waiting[]
  /** Drafts that were not sent on yet. */
  readonly unsent: string[]
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
      settle(sent.waiting, await writer.call('commit', joinDrafts(sent.unsent)), onCommitted)
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
  const add = (waiting: Waiting): void => {
    batch.waiting.push(waiting)
    batch.facts += waiting.facts.length
    batch.sizeBytes += waiting.sizeBytes
    for (const text of waiting.texts) batch.unsent.push(text)
    if (batch.facts >= maxBatchFacts) return flush()
    if (batch.unsent.length >= stageFacts) writer.tell('stage', joinDrafts(batch.unsent.splice(0)))
    schedule()
  }
  return {
    append: (drafts) =>
      new Promise((resolve, reject) => {
        const texts = drafts.map(textOfDraft)
        const facts = drafts.map(({ fact }) => fact)
        const sizeBytes = sizeOf(texts)
        if (load.take({ facts: facts.length, sizeBytes })) add({ facts, texts, sizeBytes, resolve, reject })
        else reject(full(bounds))
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
  for (const fact of batch.flatMap(({ facts }) => facts)) {
    placed(fact, first + index, hashes.slice(index * hashLength, (index + 1) * hashLength))
    index++
  }
  onCommitted(batch.flatMap(({ facts }) => facts))
  for (const { facts, resolve } of batch) resolve(facts)
}

/** Texts in memory, and what the facts themselves take beside them. */
function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sizeBytes, { length }) => sizeBytes + 2 * length + 512, 0)
}

function full({ maxWaitingFacts }: AppendBounds): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `more than ${maxWaitingFacts} facts, or too large ones, wait for the disk`,
    hint: 'nothing of this call was recorded; try again, and look why the disk is slow',
  })
}
