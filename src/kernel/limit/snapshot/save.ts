import {
  giveLock,
  header,
  layoutOf,
  LINE,
  takeLock,
  VERSION,
  COUNTERS,
  STRIPES,
  type Layout,
} from '../buffer.ts'
import { counter, record, readForm, type EntryForm } from '../registry.ts'
import { checksumOf, doublesOf, head, MAGIC, NUMBERED } from './head.ts'
import { Sweep } from './sweep.ts'

/** The holder of the registry may be sweeping a large table. */
const REGISTRY_PATIENCE_NAPS = 10_000

/** What a snapshot is made with. */
export interface SaveOptions {
  readonly seed: readonly [number, number]
  /** The limiter's time. */
  readonly nowMs: number
  /** If more is in use, the accounts that are nearest to being refused are written. Absent: no bound. */
  readonly mostBytes?: number
}

/**
 * Writes down who owes what: the limits that the table knows and every bucket in which something is in use, 68 bytes
 * each. The seed is in it, so keep it where nobody else reads. Other threads may go on taking meanwhile, and never wait
 * for it: each account is written as it stood at some instant of the sweep. Counters of decisions are not in it.
 */
export function saveTable(buffer: SharedArrayBuffer, options: SaveOptions): Uint8Array {
  const { seed, nowMs, mostBytes = Number.POSITIVE_INFINITY } = options
  const layout = layoutOf(buffer)
  const words = new Int32Array(buffer)
  const { ids, lines, forms } = copyRecords(words, layout)
  const sweep = new Sweep(layout, forms, nowMs)
  const buckets = sweep.buckets(Math.max(0, Math.floor((mostBytes / 4 - LINE) / NUMBERED) - ids.length))
  const saved = new Int32Array(LINE + NUMBERED * (ids.length + buckets.length))
  saved.set([MAGIC, VERSION, layout.buckets, words[header.seedCheck] ?? 0, ...seed])
  doublesOf(saved)[head.savedAt / 2] = nowMs
  saved[head.records] = ids.length
  saved[head.usedBuckets] = buckets.length
  saved.set(lines, LINE)
  sweep.copy(buckets, saved, LINE + lines.length)
  strikeRenumbered(words, layout, saved)
  saved[head.checksum] = checksumOf(saved)
  return new Uint8Array(saved.buffer)
}

/** Requests that all limits together have admitted since the table exists: while it stays the same, nothing was taken. */
export function admittedIn(buffer: SharedArrayBuffer): number {
  const { records, firstCount } = layoutOf(buffer)
  const counts = new Float64Array(buffer)
  let sum = 0
  for (let stripe = 0; stripe < STRIPES; stripe++) {
    const first = firstCount + stripe * (records + 1) * COUNTERS
    for (let id = 1; id <= records; id++) sum += counts[first + id * COUNTERS + counter.admitted] ?? 0
  }
  return sum
}

interface Records {
  readonly ids: readonly number[]
  /** As they stand in a snapshot. */
  readonly lines: Int32Array
  readonly forms: ReadonlyMap<number, EntryForm>
}

function copyRecords(words: Int32Array, layout: Layout): Records {
  const doubles = new Float64Array(layout.buffer)
  return locked(words, () => {
    const ids: number[] = []
    for (let id = 1; id <= layout.records; id++) {
      const at = recordAt(layout, id)
      if (words[at + record.low] !== 0 || words[at + record.high] !== 0) ids.push(id)
    }
    const lines = new Int32Array(NUMBERED * ids.length)
    for (const [index, id] of ids.entries()) {
      lines[NUMBERED * index] = id
      const at = recordAt(layout, id)
      lines.set(words.subarray(at, at + LINE), NUMBERED * index + 1)
    }
    const forms = new Map(ids.map((id) => [id, readForm(words, doubles, recordAt(layout, id))]))
    return { ids, lines, forms }
  })
}

/** A number that was given to another limit during the sweep stands for both: neither's entries can be told. */
function strikeRenumbered(words: Int32Array, layout: Layout, saved: Int32Array): void {
  locked(words, () => {
    const end = LINE + NUMBERED * (saved[head.records] ?? 0)
    for (let at = LINE; at < end; at += NUMBERED) {
      const now = recordAt(layout, saved[at] ?? 0)
      const isSame =
        words[now + record.low] === saved[at + 1 + record.low] &&
        words[now + record.high] === saved[at + 1 + record.high]
      if (!isSame) saved[at] = 0
    }
  })
}

function recordAt(layout: Layout, id: number): number {
  return layout.firstRecord + (id - 1) * LINE
}

function locked<T>(words: Int32Array, act: () => T): T {
  takeLock(words, header.registryLock, REGISTRY_PATIENCE_NAPS)
  try {
    return act()
  } finally {
    giveLock(words, header.registryLock)
  }
}
