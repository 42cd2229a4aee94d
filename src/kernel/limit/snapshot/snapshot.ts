import { threadId } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { limitCapacityOf } from '../account.ts'
import {
  bucketsFor,
  createLayout,
  giveLock,
  header,
  layoutOf,
  LINE,
  takeLock,
  VERSION,
  WAYS,
  type Layout,
} from '../buffer.ts'
import type { LimiterOptions } from '../port.ts'
import { record } from '../registry.ts'
import { IDS, LOCKED, TAGS, VALUES } from '../table.ts'

const MAGIC = 0x484c5353
/** A line with the number of its limit or bucket before it. */
const NUMBERED = LINE + 1
/** Half of what a limiter takes for a time, so that it has some to go on. */
const LATEST_MS = 2 ** 42
const PATIENCE_NAPS = 250
/** The holder of the registry may be sweeping a large table. */
const REGISTRY_PATIENCE_NAPS = 10_000

/** Word numbers in the head of a snapshot. */
const head = {
  magic: 0,
  /** Of the table; whoever changes how it lies raises that. */
  version: 1,
  buckets: 2,
  seedCheck: 3,
  seedLow: 4,
  seedHigh: 5,
  /** A double. */
  savedAt: 6,
  records: 8,
  usedBuckets: 9,
  /** CRC-32 of everything else. */
  checksum: 10,
} as const

/** What `createLimiter` needs in order to go on where a snapshot was taken. */
export interface Restored {
  readonly buffer: SharedArrayBuffer
  readonly seed: readonly [number, number]
  /** The limiter's time when it was taken. Time must go on from here or later, or debts would be paid more slowly. */
  readonly savedAtMs: number
}

/**
 * Writes down who owes what: the limits that the table knows and every bucket that is in use, 68 bytes each. The seed
 * is in it, so keep it where nobody else reads. Other threads may go on taking meanwhile; a bucket is locked while it
 * is copied. Counters of decisions are not in it.
 */
export function saveTable(
  buffer: SharedArrayBuffer,
  { seed, nowMs }: { readonly seed: readonly [number, number]; readonly nowMs: number },
): Uint8Array {
  const layout = layoutOf(buffer)
  const words = new Int32Array(buffer)
  takeLock(words, header.registryLock, REGISTRY_PATIENCE_NAPS)
  try {
    const records = usedRecords(words, layout)
    const buckets = usedBuckets(new Uint16Array(buffer), layout)
    const saved = new Int32Array(LINE + NUMBERED * (records.length + buckets.length))
    saved.set([MAGIC, VERSION, layout.buckets, words[header.seedCheck] ?? 0, ...seed])
    doublesOf(saved)[head.savedAt / 2] = nowMs
    saved[head.records] = records.length
    saved[head.usedBuckets] = buckets.length
    const copy = { words, saved }
    let at = LINE
    for (const id of records) {
      saved[at] = id
      copyLine(copy, layout.firstRecord + (id - 1) * LINE, at + 1)
      at += NUMBERED
    }
    for (const bucket of buckets) {
      saved[at] = bucket
      copyBucket(copy, layout.firstBucket + bucket * LINE, at + 1)
      at += NUMBERED
    }
    saved[head.checksum] = checksumOf(saved)
    return new Uint8Array(saved.buffer)
  } finally {
    giveLock(words, header.registryLock)
  }
}

/**
 * Makes a buffer out of a snapshot for a limiter with these options, or says why it cannot: damaged, of another
 * version or byte order, or of another capacity. Limits that have left the policy are brought along and make room
 * as ever. Throws nothing, whatever the bytes are.
 */
export function restoreTable(
  bytes: Uint8Array,
  options: Pick<LimiterOptions, 'limits' | 'capacity' | 'limitCapacity' | 'alone'>,
): Restored | { readonly unusable: string } {
  const saved = wholeWords(bytes)
  if (saved === null) return { unusable: 'it is no snapshot of limits' }
  const flaw = flawOf(saved, options.capacity)
  if (flaw !== null) return { unusable: flaw }
  const [seedCheck = 0, seedLow = 0, seedHigh = 0] = saved.subarray(head.seedCheck)
  const layout = createLayout({
    capacity: options.capacity,
    limitCapacity: limitCapacityOf(options),
    owner: options.alone === true ? threadId + 1 : 0,
    seedCheck,
  })
  fill(layout, saved)
  return { buffer: layout.buffer, seed: [seedLow, seedHigh], savedAtMs: savedAt(saved) }
}

function flawOf(saved: Int32Array<ArrayBuffer>, capacity: number): string | null {
  if (saved[head.magic] !== MAGIC) return 'it is no snapshot of limits'
  const count = (saved[head.records] ?? 0) + (saved[head.usedBuckets] ?? 0)
  const isWhole = saved.length === LINE + NUMBERED * count && saved[head.checksum] === checksumOf(saved)
  if (!isWhole) return 'it is damaged'
  if (saved[head.version] !== VERSION) return 'it is of another version'
  if (saved[head.buckets] !== bucketsFor(capacity)) return 'it has another capacity'
  return savedAt(saved) >= 0 && savedAt(saved) < LATEST_MS ? null : 'its time is none'
}

function savedAt(saved: Int32Array<ArrayBuffer>): number {
  return doublesOf(saved)[head.savedAt / 2] ?? 0
}

/** Copied, since a file's bytes need not lie where words may. */
function wholeWords(bytes: Uint8Array): Int32Array<ArrayBuffer> | null {
  if (bytes.length < LINE * 4 || bytes.length % 4 !== 0) return null
  return new Int32Array(Uint8Array.from(bytes).buffer)
}

/** Of the head alone, for all of it need not be a whole number of doubles. */
function doublesOf(saved: Int32Array<ArrayBuffer>): Float64Array {
  return new Float64Array(saved.buffer, 0, LINE / 2)
}

/** Of all words but the one that it is kept in. */
function checksumOf(saved: Int32Array<ArrayBuffer>): number {
  const bytes = new Uint8Array(saved.buffer)
  const before = crc32(bytes.subarray(0, head.checksum * 4))
  return crc32(bytes.subarray((head.checksum + 1) * 4), before) | 0
}

function usedRecords(words: Int32Array, layout: Layout): readonly number[] {
  const ids = Array.from({ length: layout.records }, (_, index) => index + 1)
  return ids.filter((id) => {
    const at = layout.firstRecord + (id - 1) * LINE
    return words[at] !== 0 || words[at + 1] !== 0
  })
}

function usedBuckets(halves: Uint16Array, layout: Layout): readonly number[] {
  const used: number[] = []
  for (let bucket = 0; bucket < layout.buckets; bucket++) {
    const ids = 2 * (layout.firstBucket + bucket * LINE) + IDS
    for (let way = 0; way < WAYS; way++) {
      if (halves[ids + way] === 0) continue
      used.push(bucket)
      break
    }
  }
  return used
}

interface Copy {
  readonly words: Int32Array
  readonly saved: Int32Array
}

/** Word by word, for a view of sixteen words costs more than copying them. */
function copyLine({ words, saved }: Copy, from: number, to: number): void {
  for (let word = 0; word < LINE; word++) saved[to + word] = words[from + word] ?? 0
}

/**
 * Copies a bucket when nobody is at work on a value in it, which nobody is for more than a microsecond; one whose
 * holder was ended in the middle is copied as it is.
 */
function copyBucket(copy: Copy, bucket: number, to: number): void {
  const { words, saved } = copy
  const stamp = takeLock(words, bucket)
  for (let nap = 0; nap < PATIENCE_NAPS; nap++) {
    copyLine(copy, bucket, to)
    const locked = lockedValue(saved, to + VALUES)
    if (locked < 0) break
    Atomics.wait(words, bucket + VALUES + locked, LOCKED, 1)
  }
  giveLock(words, bucket)
  saved[to] = stamp & ~1
}

function lockedValue(saved: Int32Array, values: number): number {
  for (let way = 0; way < WAYS; way++) if (saved[values + way] === LOCKED) return way
  return -1
}

function fill(layout: Layout, saved: Int32Array): void {
  const words = new Int32Array(layout.buffer)
  const known = new Set<number>()
  const records = saved[head.records] ?? 0
  for (let at = LINE; at < saved.length; at += NUMBERED) {
    const number = saved[at] ?? 0
    const line = saved.subarray(at + 1, at + NUMBERED)
    if (at >= LINE + records * NUMBERED) {
      if (number < 0 || number >= layout.buckets) continue
      const first = layout.firstBucket + number * LINE
      words.set(line, first)
      dropStrangers(new Uint16Array(layout.buffer), first, known)
    } else if (number >= 1 && number <= layout.records) {
      words.set(line, layout.firstRecord + (number - 1) * LINE)
      // Older than whatever registers from now on.
      words[layout.firstRecord + (number - 1) * LINE + record.order] = 0
      known.add(number)
    }
  }
}

/** Entries of limits for which this table has no room, and entries that were in work for ever. */
function dropStrangers(halves: Uint16Array, bucket: number, known: ReadonlySet<number>): void {
  const words = new Int32Array(halves.buffer)
  for (let way = 0; way < WAYS; way++) {
    const value = bucket + VALUES + way
    if (known.has(halves[2 * bucket + IDS + way] ?? 0) && words[value] !== LOCKED) continue
    halves[2 * bucket + IDS + way] = 0
    words[value] = 0
    words[bucket + TAGS + way] = 0
  }
}
