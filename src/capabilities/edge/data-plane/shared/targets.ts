import { health } from '../../health.ts'

/** Targets that are remembered at once, those that have just gone included. */
const capacity = 4096
/** 2^32 divided by the golden ratio. */
const goldenStep = 0x9e3779b9
/** Threads at once. */
export const mostThreads = 64

/** How the targets are, in memory that all threads share. A slot belongs to one target. */
export interface TargetBoard {
  readonly buffer: SharedArrayBuffer
  healthOf(slot: number): number
  setHealth(slot: number, state: number): void
  /** A thread could not connect: the target is under suspicion until it has been probed. */
  suspect(slot: number): void
  /** Requests under way at a target, of all threads. */
  inFlight(slot: number): number
  /**
   * The next number in [0, 1) of a sequence that all threads share; any hundred in a row are spread as evenly as can be
   * (Weyl's, by the golden ratio).
   */
  draw(slot: number): number
  enter(slot: number): void
  leave(slot: number): void
  /** Connections of clients, of all threads. */
  connections(): number
  addConnection(difference: 1 | -1): void
  /** Forgets what a thread that ended had under way. */
  clearThread(thread: number): void
}

/** Creates the board, or attaches thread `thread` to it. */
export function openTargetBoard(threads: number, thread: number, buffer?: SharedArrayBuffer): TargetBoard {
  const shared = buffer ?? new SharedArrayBuffer(4 * (2 * capacity + threads * (capacity + 1)))
  const cells = new Int32Array(shared)
  const row = (number: number): number => 2 * capacity + number * (capacity + 1)
  const own = row(thread)
  const sum = (column: number): number => {
    let total = 0
    for (let number = 0; number < threads; number++) total += cells[row(number) + column] ?? 0
    return total
  }
  return {
    buffer: shared,
    healthOf: (slot) => Atomics.load(cells, slot),
    setHealth: (slot, state) => void Atomics.store(cells, slot, state),
    suspect: (slot) => {
      Atomics.compareExchange(cells, slot, health.well, health.suspect)
      Atomics.compareExchange(cells, slot, health.unknown, health.suspect)
    },
    inFlight: sum,
    draw: (slot) => (Atomics.add(cells, capacity + slot, goldenStep) >>> 0) / 2 ** 32,
    enter: (slot) => void Atomics.add(cells, own + slot, 1),
    leave: (slot) => void Atomics.sub(cells, own + slot, 1),
    connections: () => sum(capacity),
    addConnection: (difference) => void Atomics.add(cells, own + capacity, difference),
    clearThread: (number) => void cells.fill(0, row(number), row(number + 1)),
  }
}

/** Gives out slots of the board; one that was given back is used again only when nothing is under way there. */
export interface SlotBook {
  /** The slot of each key; keys that are no longer named give theirs back. */
  assign(keys: readonly string[]): ReadonlyMap<string, number>
}

/** Creates the book of a board's slots. */
export function createSlotBook(board: TargetBoard): SlotBook {
  let book = new Map<string, number>()
  let next = 0
  const freeSlot = (taken: ReadonlySet<number>): number => {
    for (let tries = 0; tries < capacity; tries++) {
      const slot = next
      next = (next + 1) % capacity
      if (!taken.has(slot) && board.inFlight(slot) === 0) return slot
    }
    throw new RangeError('more targets than the edge can hold')
  }
  return {
    assign: (keys) => {
      const fresh = new Map<string, number>()
      for (const key of keys) {
        const known = book.get(key)
        if (known !== undefined) fresh.set(key, known)
      }
      const taken = new Set([...fresh.values(), ...book.values()])
      for (const key of keys) {
        if (fresh.has(key)) continue
        const slot = freeSlot(taken)
        taken.add(slot)
        board.setHealth(slot, health.unknown)
        fresh.set(key, slot)
      }
      book = fresh
      return fresh
    },
  }
}
