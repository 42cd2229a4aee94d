import { threadId } from 'node:worker_threads'
import { limitCapacityOf } from '../account.ts'
import { bucketsFor, createLayout, LINE, VERSION, WAYS, type Layout } from '../buffer.ts'
import { seedCheckOf } from '../hash.ts'
import type { LimiterOptions } from '../port.ts'
import { readForm, record } from '../registry.ts'
import { IDS } from '../table.ts'
import { checksumOf, doublesOf, head, MAGIC, NUMBERED } from './head.ts'

/** Half of what a limiter takes for a time, so that it has some to go on. */
const LATEST_MS = 2 ** 42

/** What `createLimiter` needs in order to go on where a snapshot was taken. */
export interface Restored {
  readonly buffer: SharedArrayBuffer
  readonly seed: readonly [number, number]
  /** The limiter's time when it was taken. Time must go on from here or later, or debts would be paid more slowly. */
  readonly savedAtMs: number
}

/** What a table is restored with. */
export interface RestoreOptions extends Pick<
  LimiterOptions,
  'limits' | 'capacity' | 'limitCapacity' | 'alone'
> {
  /** Leave out what runs at once: whoever held a place in a process that is gone will never give it back. */
  readonly withoutLeases?: boolean
}

/**
 * Makes a buffer out of a snapshot for a limiter with these options, or says why it cannot: damaged, of another
 * version or byte order, of another capacity, or with a seed that does not fit. Limits that have left the policy are brought along and make room
 * as ever. Throws nothing, whatever the bytes are.
 */
export function restoreTable(
  bytes: Uint8Array,
  options: RestoreOptions,
): Restored | { readonly unusable: string } {
  const saved = wholeWords(bytes)
  if (saved === null) return { unusable: 'it is no snapshot of limits' }
  const flaw = flawOf(saved, options.capacity)
  if (flaw !== null) return { unusable: flaw }
  const layout = createLayout({
    capacity: options.capacity,
    limitCapacity: limitCapacityOf(options),
    owner: options.alone === true ? threadId + 1 : 0,
    seedCheck: saved[head.seedCheck] ?? 0,
  })
  const known = fillRecords(layout, saved, options.withoutLeases ?? false)
  fillBuckets(layout, saved, known)
  return { buffer: layout.buffer, seed: seedOf(saved), savedAtMs: savedAt(saved) }
}

function flawOf(saved: Int32Array<ArrayBuffer>, capacity: number): string | null {
  if (saved[head.magic] !== MAGIC) return 'it is no snapshot of limits'
  if (!isWhole(saved)) return 'it is damaged'
  if (saved[head.version] !== VERSION) return 'it is of another version'
  if (saved[head.buckets] !== bucketsFor(capacity)) return 'it has another capacity'
  if (saved[head.seedCheck] !== seedCheckOf(seedOf(saved))) return 'its seed does not fit'
  return savedAt(saved) >= 0 && savedAt(saved) < LATEST_MS ? null : 'its time is none'
}

function isWhole(saved: Int32Array<ArrayBuffer>): boolean {
  const count = (saved[head.records] ?? 0) + (saved[head.usedBuckets] ?? 0)
  return saved.length === LINE + NUMBERED * count && saved[head.checksum] === checksumOf(saved)
}

function seedOf(saved: Int32Array): readonly [number, number] {
  return [saved[head.seedLow] ?? 0, saved[head.seedHigh] ?? 0]
}

function savedAt(saved: Int32Array<ArrayBuffer>): number {
  return doublesOf(saved)[head.savedAt / 2] ?? 0
}

/** Copied, since a file's bytes need not lie where words may. */
function wholeWords(bytes: Uint8Array): Int32Array<ArrayBuffer> | null {
  if (bytes.length < LINE * 4 || bytes.length % 4 !== 0) return null
  return new Int32Array(Uint8Array.from(bytes).buffer)
}

/** The numbers of the limits whose entries are wanted. */
function fillRecords(layout: Layout, saved: Int32Array, withoutLeases: boolean): ReadonlySet<number> {
  const words = new Int32Array(layout.buffer)
  const doubles = new Float64Array(layout.buffer)
  const known = new Set<number>()
  const end = LINE + NUMBERED * (saved[head.records] ?? 0)
  for (let at = LINE; at < end; at += NUMBERED) {
    const id = saved[at] ?? 0
    if (id < 1 || id > layout.records) continue
    const to = layout.firstRecord + (id - 1) * LINE
    words.set(saved.subarray(at + 1, at + NUMBERED), to)
    // Older than whatever registers from now on.
    words[to + record.order] = 0
    if (!withoutLeases || readForm(words, doubles, to).kind !== 'leases') known.add(id)
  }
  return known
}

/** Without entries of limits for which this table has no room. */
function fillBuckets(layout: Layout, saved: Int32Array, known: ReadonlySet<number>): void {
  const words = new Int32Array(layout.buffer)
  const halves = new Uint16Array(layout.buffer)
  const savedHalves = new Uint16Array(saved.buffer)
  for (let at = LINE + NUMBERED * (saved[head.records] ?? 0); at < saved.length; at += NUMBERED) {
    const bucket = saved[at] ?? 0
    if (bucket >>> 0 >= layout.buckets) continue
    const from = at + 1
    const to = layout.firstBucket + bucket * LINE
    for (let word = 0; word < LINE; word++) words[to + word] = saved[from + word] ?? 0
    for (let way = 0; way < WAYS; way++) {
      if (!known.has(savedHalves[2 * from + IDS + way] ?? 0)) halves[2 * to + IDS + way] = 0
    }
  }
}
