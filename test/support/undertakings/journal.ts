import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Place } from '../holdfast/index.ts'

/** What a test wants to know of a fact. */
export interface JournalFact {
  readonly sequence: number
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The timeline as it lies on the disk, read beside control, whether that lives or not. */
export interface Journal {
  /** Sequence number of the newest fact. */
  last(): number
  /** The facts after a sequence number, oldest first. */
  after(sequence: number): readonly JournalFact[]
  close(): void
}

/** Opens the timeline of a place. */
export function journalOf({ data }: Pick<Place, 'data'>): Journal {
  const file = new DatabaseSync(join(data, 'timeline.db'), { readOnly: true })
  const last = file.prepare('SELECT max(sequence) AS last FROM facts')
  const after = file.prepare(
    'SELECT sequence, kinds.kind AS kind, data FROM facts JOIN kinds ON number = facts.kind WHERE sequence > ? ORDER BY sequence',
  )
  return {
    last: () => Number(last.get()?.['last'] ?? 0),
    after: (sequence) =>
      after.all(sequence).map((row) => ({
        sequence: Number(row['sequence']),
        kind: String(row['kind']),
        data: JSON.parse(String(row['data'])) as JournalFact['data'],
      })),
    close: () => file.close(),
  }
}
