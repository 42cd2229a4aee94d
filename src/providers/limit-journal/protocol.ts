import type { KeptLimits, LimitSnapshot, RememberedText } from '../../capabilities/limits/ports.ts'

/** The file that the thread opens. */
export interface OpenAsk {
  readonly path: string
  readonly nowMs: number
  /** Bound of the file in bytes; null: none but the disk. */
  readonly maxFileBytes: number | null
}

/** Entries on their way to the disk. */
export interface AppendAsk {
  /** Separated by line feeds. */
  readonly texts: string
  readonly count: number
}

/** A snapshot on its way to the disk. */
export interface SaveAsk {
  readonly snapshot: LimitSnapshot
  readonly remembered: readonly RememberedText[]
  readonly nowMs: number
}

/** What may be asked of the thread, and what it answers. */
export interface JournalCalls {
  /** The first call; creates the file when there is none, and checks it. */
  readonly open: { readonly ask: OpenAsk; readonly answer: KeptLimits }
  /** One transaction. Answered when it is on disk. */
  readonly append: { readonly ask: AppendAsk; readonly answer: null }
  readonly save: { readonly ask: SaveAsk; readonly answer: null }
  readonly keepDraft: { readonly ask: string | null; readonly answer: null }
  readonly close: { readonly ask: null; readonly answer: null }
}
