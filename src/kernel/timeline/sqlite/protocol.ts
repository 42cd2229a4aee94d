import type { Broken, Entry } from '../chain.ts'
import type { NamedCheckpoint } from '../lines.ts'
import type { Checkpoint, Head, Retention } from '../port.ts'
import type { Search } from '../query.ts'

/** What a worker thread is started with. */
export interface WorkerSettings {
  readonly role: 'writer' | 'reader'
  readonly path: string
  /** Bound of the file in bytes; null: none but the disk. */
  readonly maxFileBytes: number | null
}

/** A draft on its way to the writer: a flat tuple of texts and numbers crosses threads four times faster than objects. */
export type DraftRow = readonly [
  id: string,
  at: number,
  kind: string,
  rank: number,
  subject: string | null,
  correlation: string | null,
  actor: string,
  payloadHash: string,
  salt: string,
  text: string,
]

/** Which facts may go, and who holds them back. */
export interface RetainAsk extends Retention {
  readonly nowMs: number
  readonly registered: readonly string[]
}

/** How far a walk along the chain has come. */
export interface WalkStep {
  readonly base: Head
  readonly head: Head
  readonly checked: number
  readonly broken: Broken | null
}

/** What may be asked of the writer, and what it answers. */
export interface WriterCalls {
  /** One transaction. Answers with the first sequence number and the hashes, in order. */
  readonly append: {
    readonly ask: readonly DraftRow[]
    readonly answer: { readonly first: number; readonly hashes: readonly string[] }
  }
  readonly erase: { readonly ask: number; readonly answer: boolean }
  readonly loadCheckpoint: {
    readonly ask: { readonly name: string; readonly nowMs: number }
    readonly answer: Checkpoint | null
  }
  readonly saveCheckpoint: {
    readonly ask: {
      readonly name: string
      readonly sequence: number
      readonly text: string
      readonly nowMs: number
    }
    readonly answer: null
  }
  /** One step of retention; answers how many facts went, 0 when nothing is left to do. */
  readonly retain: { readonly ask: RetainAsk; readonly answer: number }
  /** Begins an import; answers false when the timeline is not empty. */
  readonly beginImport: { readonly ask: null; readonly answer: boolean }
  readonly takeImport: { readonly ask: readonly Entry[]; readonly answer: null }
  readonly finishImport: {
    readonly ask: {
      readonly base: Head
      readonly head: Head
      readonly checkpoints: readonly NamedCheckpoint[]
      readonly nowMs: number
    }
    readonly answer: null
  }
  readonly abortImport: { readonly ask: null; readonly answer: null }
  readonly close: { readonly ask: null; readonly answer: null }
}

/** What may be asked of a reader, and what it answers. */
export interface ReaderCalls {
  readonly read: { readonly ask: Search; readonly answer: readonly Entry[] }
  /** Goes on along the chain from `from` (null: its base), not beyond `end`. */
  readonly walk: {
    readonly ask: { readonly from: Head | null; readonly end: number }
    readonly answer: WalkStep
  }
  readonly entries: {
    readonly ask: { readonly after: number; readonly end: number }
    readonly answer: readonly Entry[]
  }
  readonly base: { readonly ask: null; readonly answer: Head }
  readonly head: { readonly ask: null; readonly answer: Head }
  readonly checkpoints: { readonly ask: null; readonly answer: readonly NamedCheckpoint[] }
  readonly close: { readonly ask: null; readonly answer: null }
}

/** A map of calls, by name. */
export type Calls<C> = { readonly [N in keyof C]: { readonly ask: unknown; readonly answer: unknown } }

/** Code that answers calls. */
export type Handlers<C extends Calls<C>> = { readonly [N in keyof C]: (ask: C[N]['ask']) => C[N]['answer'] }
