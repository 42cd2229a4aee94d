import type { By } from './command.ts'

/** Something that was taken and comes back at the end of its lease, unless it is committed. */
export type Reservation = {
  readonly id: string
  readonly limit: string
  readonly by: By
  readonly override: string | null
  readonly cost: number
  readonly takenAt: number
  /** When it was taken or last renewed. */
  readonly leasedAt: number
  readonly endsAt: number
}

/** Open at once at most. */
export const mostReservations = 100_000

/** Ends are looked for in steps of this many milliseconds, so that nobody goes through all of them at each take. */
const tickMs = 100

/** The reservations that are open. */
export class Reservations {
  private readonly open = new Map<string, Reservation>()
  private readonly endings = new Map<number, Set<string>>()
  private lastTick = 0

  /** How many are open. */
  get size(): number {
    return this.open.size
  }

  /** The open one of that id. */
  get(id: string): Reservation | undefined {
    return this.open.get(id)
  }

  /** Adds one, or puts it in the place of the one with its id. */
  set(reservation: Reservation): void {
    this.delete(reservation.id)
    this.open.set(reservation.id, reservation)
    const tick = tickOf(reservation.endsAt)
    const ending = this.endings.get(tick) ?? new Set()
    this.endings.set(tick, ending.add(reservation.id))
  }

  /** Takes one out. */
  delete(id: string): void {
    const found = this.open.get(id)
    if (found === undefined) return
    this.open.delete(id)
    const tick = tickOf(found.endsAt)
    const ending = this.endings.get(tick)
    ending?.delete(id)
    if (ending?.size === 0) this.endings.delete(tick)
  }

  /** Takes out those whose lease has ended, at most a tenth of a second late, in the order in which they end. */
  takeEnded(at: number): readonly Reservation[] {
    const tick = Math.floor(at / tickMs)
    if (tick <= this.lastTick || this.endings.size === 0) return []
    this.lastTick = tick
    const due = [...this.endings.keys()].filter((ending) => ending <= tick).sort((a, b) => a - b)
    const ended = due.flatMap((ending) => [...(this.endings.get(ending) ?? [])])
    return ended.flatMap((id) => {
      const found = this.open.get(id)
      this.delete(id)
      return found === undefined ? [] : [found]
    })
  }

  /** All that are open. */
  all(): readonly Reservation[] {
    return [...this.open.values()]
  }
}

/** When a lease is found to have ended: at most a tenth of a second after its end. */
export function endOf({ endsAt }: Reservation): number {
  return tickOf(endsAt) * tickMs
}

function tickOf(endsAt: number): number {
  return Math.ceil(endsAt / tickMs)
}
