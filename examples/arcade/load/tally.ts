/** What somebody got at one door. */
interface Counts {
  asked: number
  fine: number
  refused: number
  others: number
  unanswered: number
  totalMs: number
}

/** What somebody got at one door, for people. */
export type Row = Readonly<Record<string, number>>

/** Counts what somebody got, door by door. */
export interface Tally {
  readonly who: string
  /** A status, or 0 for a request that got no answer. */
  count(door: string, status: number, durationMs: number): void
  /** So many more mails went out, or were held back. */
  countMails(sent: number, heldBack: number): void
  countEvent(): void
  line(): string
  /** By door, in the order of their names. */
  rows(): Readonly<Record<string, Row>>
}

/** An empty tally. */
export function createTally(who: string): Tally {
  const doors = new Map<string, Counts>()
  let events = 0
  const at = (door: string): Counts => {
    const known = doors.get(door) ?? { asked: 0, fine: 0, refused: 0, others: 0, unanswered: 0, totalMs: 0 }
    doors.set(door, known)
    return known
  }
  const sum = (column: keyof Counts): number =>
    [...doors.values()].reduce((total, counts) => total + counts[column], 0)
  return {
    who,
    count: (door, status, durationMs) => {
      const counts = at(door)
      counts.asked++
      counts[nameOf(status)]++
      counts.totalMs += durationMs
    },
    countMails: (sent, heldBack) => {
      const counts = at('mail')
      counts.asked += sent + heldBack
      counts.fine += sent
      counts.refused += heldBack
    },
    countEvent: () => {
      events++
    },
    line: () =>
      `${who}: ${sum('asked')} asked, ${sum('fine')} fine, ${sum('refused')} refused, ${events} events`,
    rows: () =>
      Object.fromEntries(
        [...doors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([door, counts]) => [door, row(counts)]),
      ),
  }
}

function nameOf(status: number): 'fine' | 'refused' | 'others' | 'unanswered' {
  if (status === 0) return 'unanswered'
  if (status === 429) return 'refused'
  return status >= 200 && status < 400 ? 'fine' : 'others'
}

function row({ asked, fine, refused, others, unanswered, totalMs }: Counts): Row {
  const meanMs = Math.round((totalMs / Math.max(1, asked)) * 10) / 10
  return { asked, fine, refused, others, 'no answer': unanswered, 'mean ms': meanMs }
}
