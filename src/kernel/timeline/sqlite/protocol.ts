import type { Broken, Entry, Header } from '../chain.ts'
import type { Draft } from '../draft.ts'
import type { NamedCheckpoint } from '../lines.ts'
import type { Checkpoint, Head, Retention } from '../port.ts'
import { severities, type Search } from '../query.ts'
import type { FactRow } from './schema.ts'

/** What a worker thread is for. */
export type Role = 'writer' | 'reader'

/** The file that a worker thread opens. */
export interface OpenAsk {
  readonly path: string
  /** Bound of the file in bytes; null: none but the disk. */
  readonly maxFileBytes: number | null
}

/** A file that is open: its settled path and the end of its chain. */
export interface Opened {
  readonly path: string
  readonly head: Head
}

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

/** What is told to the writer without an answer: drafts (see `joinDrafts`) that belong to the transaction of the next `commit`. */
export interface WriterNotes {
  readonly stage: string
}

/** What may be asked of the writer, and what it answers. */
export interface WriterCalls {
  /** The first call; takes the lock, creates the file when there is none, and checks it. */
  readonly open: { readonly ask: OpenAsk; readonly answer: Opened }
  /**
   * The last drafts (see `joinDrafts`) of a transaction, whose first ones were sent as `stage`. Answers, once they are on disk,
   * with the first sequence number and the hashes, one after the other.
   */
  readonly commit: {
    readonly ask: string
    readonly answer: { readonly first: number; readonly hashes: string }
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
  /** The first call. */
  readonly open: { readonly ask: OpenAsk; readonly answer: Opened }
  readonly read: { readonly ask: Search; readonly answer: readonly FactRow[] }
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
  readonly checkpoints: { readonly ask: null; readonly answer: readonly NamedCheckpoint[] }
  readonly close: { readonly ask: null; readonly answer: null }
}

/**
 * Drafts cross to the writer as one text, cells and drafts separated by the control characters that Unicode has for
 * it: words may not contain control characters, JSON escapes them. One text crosses threads many times faster than objects.
 */
const cellSeparator = '\u001f'
const draftSeparator = '\u001e'

/** A draft as the writer gets it. */
export interface SentDraft extends Omit<Header, 'sequence'> {
  readonly salt: string
  readonly text: string
  readonly payloadHash: string
}

/** The text of one draft. */
export function textOfDraft({ fact, salt, text, payloadHash }: Draft): string {
  const { id, at, kind, severity, subject, correlation, actor } = fact
  const rank = severities.indexOf(severity)
  return [id, at, kind, rank, subject, correlation, actor, payloadHash, salt, text].join(cellSeparator)
}

/** The text of several drafts. */
export function joinDrafts(texts: readonly string[]): string {
  return texts.join(draftSeparator)
}

/** The drafts of a text. */
export function parseDrafts(text: string): readonly SentDraft[] {
  return text === '' ? [] : text.split(draftSeparator).map(parseDraft)
}

function parseDraft(draft: string): SentDraft {
  const [id = '', at, kind = '', rank, subject = '', correlation = '', actor = '', ...payload] =
    draft.split(cellSeparator)
  const [payloadHash = '', salt = '', text = ''] = payload
  const severity = severities[Number(rank)] ?? 'info'
  return {
    id,
    at: Number(at),
    kind,
    severity,
    subject: orNull(subject),
    actor,
    correlation: orNull(correlation),
    salt,
    text,
    payloadHash,
  }
}

/** Words are never empty, so an empty cell stands for null. */
function orNull(cell: string): string | null {
  return cell === '' ? null : cell
}
