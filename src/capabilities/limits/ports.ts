/** An answer that is given again when the same is asked again. */
export interface RememberedText {
  readonly key: string
  /** The answer, as text that the journal does not look into. */
  readonly text: string
  /** When it may be forgotten, milliseconds since the epoch. */
  readonly untilMs: number
}

/** Everything that was counted, at one moment. */
export interface LimitSnapshot {
  /** The table of the limiter, as `saveTable` writes it. */
  readonly table: Uint8Array
  /** What is not in the table: reservations and debts, as text. */
  readonly state: string
}

/** What a journal kept. */
export interface KeptLimits {
  /** Null: none was saved yet. */
  readonly snapshot: LimitSnapshot | null
  /** What was appended after the snapshot, oldest first; each is on disk. */
  readonly entries: readonly string[]
  /** Answers that are still to be remembered, oldest first. */
  readonly remembered: readonly RememberedText[]
  /** What `keepDraft` was given last; null: nothing. */
  readonly draft: string | null
  /**
   * Entries that were on disk and are there no more: a `-wal` was lost, or an older copy was put back. Said again at
   * each `open` until the first `append` or `save`.
   */
  readonly forgotten: number
}

/**
 * Where application limits write down what they counted, in order. It has one writer: a second one is refused.
 * Errors of all: `limits.journal-failed` (no space, no permission, a failing disk, another Holdfast), and at `open`
 * `limits.journal-corrupt`: it is damaged, nothing was changed, and it is never recreated silently.
 */
export interface LimitJournal {
  /** The first call, once; creates a journal where there is none. `nowMs`: what is to be forgotten by then is gone. */
  open(nowMs: number): Promise<KeptLimits>
  /**
   * Adds entries (each without a line feed), all or none; resolves when they are on disk. Calls that come while the
   * disk is busy share the next fsync. Errors: also `limits.journal-full`, when too much waits for the disk.
   */
  append(entries: readonly string[]): Promise<void>
  /**
   * Replaces the snapshot, adds to what is remembered, and drops every entry whose append was called before, which
   * the snapshot has in it. All or nothing.
   */
  save(snapshot: LimitSnapshot, remembered: readonly RememberedText[], nowMs: number): Promise<void>
  /** Puts a text in the place of the one before, on disk; null: none. What is counted has no part in it. */
  keepDraft(text: string | null): Promise<void>
  /** Finishes what was begun. */
  close(): Promise<void>
}

/** What the capability needs from outside. */
export interface LimitsPorts {
  readonly journal: LimitJournal
}
