import { HoldfastError } from '../../std/index.ts'
import { factAt, type Draft } from '../draft.ts'
import type { Fact } from '../port.ts'
import { severities } from '../query.ts'
import type { Channel } from './channel.ts'
import type { DraftRow, WriterCalls } from './protocol.ts'

/** Most facts in one transaction: a larger one would make the first of them wait for the last. */
const maxBatchFacts = 2048

/** What may wait for the disk. */
export interface AppendBounds {
  readonly maxWaitingFacts: number
  readonly maxWaitingBytes: number
}

/** Group commit: while one transaction is on its way to the disk, what comes meanwhile gathers for the next. */
export interface Appender {
  /** Errors: `timeline.full`, and those of the disk. */
  append(drafts: readonly Draft[]): Promise<readonly Fact[]>
  /** Resolves when nothing waits any more, provided that nothing more is appended. */
  drained(): Promise<void>
}

interface Waiting {
  readonly drafts: readonly Draft[]
  readonly sizeBytes: number
  readonly resolve: (facts: readonly Fact[]) => void
  readonly reject: (error: unknown) => void
}

/** Creates an appender. `onCommitted` is called with what each transaction brought, before its callers know. */
export function createAppender(
  writer: Pick<Channel<WriterCalls>, 'call'>,
  bounds: AppendBounds,
  onCommitted: (facts: readonly Fact[]) => void,
): Appender {
  const queue = createQueue(bounds)
  let running: Promise<void> | null = null

  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const rows = batch.flatMap(({ drafts }) => drafts.map(rowOf))
      const { first, hashes } = await writer.call('append', rows)
      settle(batch, { first, hashes }, onCommitted)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  const run = async (): Promise<void> => {
    // What is appended in the same turn of the event loop shares the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    for (let batch = queue.take(); batch.length > 0; batch = queue.take()) {
      await commit(batch)
      await new Promise((resolve) => setImmediate(resolve))
    }
    running = null
  }
  return {
    append: (drafts) =>
      new Promise((resolve, reject) => {
        const isTaken = queue.add({ drafts, sizeBytes: sizeOf(drafts), resolve, reject })
        if (!isTaken) return reject(full(bounds))
        running ??= run()
      }),
    drained: async () => {
      await running
    },
  }
}

interface Queue {
  /** False: there is no room for it. */
  add(waiting: Waiting): boolean
  /** Takes as many as fit into one transaction, in order. */
  take(): readonly Waiting[]
}

function createQueue(bounds: AppendBounds): Queue {
  let queue: Waiting[] = []
  let facts = 0
  let sizeBytes = 0
  return {
    add: (waiting) => {
      const fits =
        facts + waiting.drafts.length <= bounds.maxWaitingFacts &&
        sizeBytes + waiting.sizeBytes <= bounds.maxWaitingBytes
      if (!fits) return false
      queue.push(waiting)
      facts += waiting.drafts.length
      sizeBytes += waiting.sizeBytes
      return true
    },
    take: () => {
      let count = 0
      let taken = 0
      while (taken < queue.length && (taken === 0 || count < maxBatchFacts)) {
        const next = queue[taken++]
        count += next?.drafts.length ?? 0
        sizeBytes -= next?.sizeBytes ?? 0
      }
      const batch = queue.slice(0, taken)
      queue = queue.slice(taken)
      facts -= count
      return batch
    },
  }
}

function settle(
  batch: readonly Waiting[],
  { first, hashes }: { readonly first: number; readonly hashes: readonly string[] },
  onCommitted: (facts: readonly Fact[]) => void,
): void {
  let index = 0
  const settled = batch.map(({ drafts, resolve }) => {
    const facts = drafts.map((draft) => factAt(draft, first + index, hashes[index++] ?? ''))
    return { facts, resolve }
  })
  onCommitted(settled.flatMap(({ facts }) => facts))
  for (const { facts, resolve } of settled) resolve(facts)
}

function rowOf(draft: Draft): DraftRow {
  const { id, at, kind, severity, subject, correlation, actor, payloadHash, salt, text } = draft
  return [id, at, kind, severities.indexOf(severity), subject, correlation, actor, payloadHash, salt, text]
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
