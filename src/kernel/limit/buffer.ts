import { HoldfastError } from '../std/index.ts'

/** Words of 32 bits in a cache line, which is also the size of a bucket and of a record. */
export const LINE = 16
/** Entries in a bucket: word 0 is lock and stamp, 6 tags, 6 values, 6 limit numbers of 16 bits. */
export const WAYS = 6
/** Of a bucket's six places about 4.2 are in use at full capacity: 15.4 bytes a key. */
const BYTES_PER_KEY = 15.4
const HEADER_LINES = 3
/** All but one are for limiters that count decisions without locking; further ones share the first, with a lock. */
export const STRIPES = 8
/** Counters of a limit within a stripe: admitted, refused, would refuse. */
export const COUNTERS = 3
const MAGIC = 0x484c444d
/** Raise it whenever anything lies or means otherwise: snapshots of other versions are not restored. */
export const VERSION = 1

/** Word numbers in the header. */
export const header = {
  magic: 0,
  version: 1,
  buckets: 2,
  records: 3,
  seedCheck: 4,
  owner: 5,
  registryLock: 16,
  reuses: 17,
  order: 18,
  countLock: 20,
  /** One word for each stripe: whether it is taken. */
  stripes: 32,
} as const

/** Where things lie in the buffer. */
export interface Layout {
  readonly buffer: SharedArrayBuffer
  readonly buckets: number
  readonly records: number
  /** Word number of the first record. */
  readonly firstRecord: number
  /** Number, in doubles, of the first counter. */
  readonly firstCount: number
  /** Word number of the first bucket. */
  readonly firstBucket: number
}

/** What a buffer is made from; an attached buffer must have been made from the same. */
export interface Shape {
  readonly capacity: number
  readonly limitCapacity: number
  /** 0: any thread may attach; otherwise only the thread with this number. */
  readonly owner: number
  /** Some function of the seed that does not reveal it. */
  readonly seedCheck: number
}

/** Creates a zeroed buffer. */
export function createLayout(shape: Shape): Layout {
  const buckets = bucketsFor(shape.capacity)
  const layout = place(undefined, shape.limitCapacity, buckets)
  const view = new Int32Array(layout.buffer, 0, LINE)
  view[header.buckets] = buckets
  view[header.records] = shape.limitCapacity
  view[header.seedCheck] = shape.seedCheck
  view[header.owner] = shape.owner
  view[header.version] = VERSION
  Atomics.store(view, header.magic, MAGIC)
  return layout
}

/** Attaches to a buffer that `createLayout` made. @throws HoldfastError `limit.buffer-mismatch` (a bug of the caller) */
export function attachLayout(buffer: SharedArrayBuffer, shape: Omit<Shape, 'limitCapacity'>): Layout {
  if (buffer.byteLength < LINE * 4) throw mismatch('it is too small')
  const view = new Int32Array(buffer, 0, LINE)
  if (Atomics.load(view, header.magic) !== MAGIC || view[header.version] !== VERSION) {
    throw mismatch('it is not a table of this version')
  }
  if (view[header.owner] !== shape.owner) throw mismatch('one of the two is for one thread alone')
  if (view[header.seedCheck] !== shape.seedCheck) throw mismatch('it has another seed')
  if (view[header.buckets] !== bucketsFor(shape.capacity)) throw mismatch('it has another capacity')
  return layoutOf(buffer)
}

/** Where things lie in a buffer that is known to be one of `createLayout`. */
export function layoutOf(buffer: SharedArrayBuffer): Layout {
  const view = new Int32Array(buffer, 0, LINE)
  return place(buffer, view[header.records] ?? 0, view[header.buckets] ?? 0)
}

function place(buffer: SharedArrayBuffer | undefined, records: number, buckets: number): Layout {
  const firstRecord = HEADER_LINES * LINE
  const firstCountWord = firstRecord + records * LINE
  const countLines = Math.ceil(((records + 1) * STRIPES * COUNTERS * 2) / LINE)
  const firstBucket = firstCountWord + countLines * LINE
  return {
    buffer: buffer ?? new SharedArrayBuffer((firstBucket + buckets * LINE) * 4),
    buckets,
    records,
    firstRecord,
    firstCount: firstCountWord / 2,
    firstBucket,
  }
}

/** How many buckets a table of this capacity has. */
export function bucketsFor(capacity: number): number {
  return Math.max(64, Math.ceil((capacity * BYTES_PER_KEY) / (LINE * 4)))
}

function mismatch(why: string): HoldfastError {
  return new HoldfastError({
    code: 'limit.buffer-mismatch',
    kind: 'bug',
    message: `The limiter cannot attach to the buffer: ${why}.`,
    hint: 'Pass the same capacity and seed to every thread, and the buffer of the first limiter.',
  })
}

const SPINS = 200
const PATIENCE_NAPS = 250

/**
 * Takes the lock that is bit 0 of a word; the other bits belong to the caller and are returned.
 *
 * The holder never waits and is done within a microsecond, so a waiter spins, then naps a millisecond at a time.
 * A lock that has not changed for 250 naps belonged to a thread that was ended in the middle: it is taken over.
 */
export function takeLock(words: Int32Array, at: number, patienceNaps = PATIENCE_NAPS): number {
  const word = words[at] ?? 0
  if ((word & 1) === 0 && Atomics.compareExchange(words, at, word, word | 1) === word) return word
  return waitForLock(words, at, patienceNaps)
}

/** Gives the lock back, keeping the other bits. */
export function giveLock(words: Int32Array, at: number): void {
  Atomics.store(words, at, (words[at] ?? 0) & ~1)
}

function waitForLock(words: Int32Array, at: number, patienceNaps: number): number {
  let stuck = 0
  let before = 0
  for (let turn = 0; ; turn++) {
    const word = Atomics.load(words, at)
    if ((word & 1) === 0) {
      if (Atomics.compareExchange(words, at, word, word | 1) === word) return word
    } else if (turn >= SPINS) {
      stuck = word === before ? stuck + 1 : 0
      before = word
      if (stuck > patienceNaps && takeOver(words, at, word)) return (word - 2) & ~1
      Atomics.wait(words, at, word, 1)
    }
  }
}

/** Only one waiter wins, since the other bits change; for a bucket that means a few seconds' older stamp. */
function takeOver(words: Int32Array, at: number, word: number): boolean {
  return Atomics.compareExchange(words, at, word, word - 2) === word
}
