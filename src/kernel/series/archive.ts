import type { DatabaseSync } from 'node:sqlite'
import { createBlockCache, type BlockCache, type BlockPlace } from './block-cache.ts'
import { decodeBlock, encodeBlock, type Block } from './block.ts'
import { mergeAt, pointOf, totalOfCells, type Cell } from './cell.ts'
import { transact } from '../store/index.ts'
import { explained, openFile } from './file.ts'
import type { MeasureKind, Point, SeriesKey } from './port.ts'
import { blockStart, floorTo, horizon, hours, minutes, seconds, spanMs, tiers, type Plan } from './tiers.ts'

/** A series as it is stored: `slot` is its number, reused once it is forgotten. */
export interface StoredSeries {
  readonly slot: number
  readonly key: SeriesKey
  readonly kind: MeasureKind
  /** When it was last measured, milliseconds since the epoch. */
  readonly seenAt: number
}

/** What was measured of one series in the minute from `start` on, seconds encoded by `encodeBlock`. */
export interface Delta {
  readonly slot: number
  readonly start: number
  readonly bytes: Uint8Array
}

/** What the archive is asked; `now` is always milliseconds since the epoch. */
export interface Requests {
  /** Adds deltas, in memory; `series` names those that are touched. */
  merge: { readonly now: number; readonly deltas: readonly Delta[]; readonly series: readonly StoredSeries[] }
  /** Writes to disk, and removes what is too old. */
  persist: { readonly now: number }
  /** Points of each slot, in the order of `slots`. */
  read: { readonly slots: readonly number[]; readonly plan: Plan }
  /** Removes a series with all its points. */
  forget: { readonly now: number; readonly slot: number }
}

/** What it answers. */
export interface Answers {
  merge: null
  persist: null
  read: readonly (readonly Point[])[]
  forget: null
}

/** One function per request. */
export type Calls = { [Name in keyof Requests]: (request: Requests[Name]) => Answers[Name] }

/** Blocks of all tiers in one SQLite database, with a bounded cache of those that still change. Synchronous. */
export interface Archive {
  /** Errors: `series.corrupt`, `series.unwritable`. */
  readonly calls: Calls
  /** The series that the file holds. */
  readonly known: readonly StoredSeries[]
  close(): void
}

/** Opens an archive that caches at most `maxBlocks` blocks. Errors: as `openFile`. */
export function openArchive(path: string | null, maxBlocks: number): Archive {
  const database = openFile(path)
  const statements = prepareStatements(database)
  const cache = createBlockCache((place) => statements.load(place))
  const touched = new Map<number, StoredSeries>()

  const persist = (now: number): null => {
    statements.transaction(() => {
      for (const entry of cache.dirty()) statements.store(entry, entry.block)
      for (const series of touched.values()) statements.storeSeries(series)
      statements.retain(now)
    })
    touched.clear()
    cache.settle(now)
    return null
  }
  const makeRoom = (now: number): void => {
    if (cache.size <= maxBlocks) return
    try {
      persist(now)
    } finally {
      // When the disk refuses, measurements are lost rather than memory.
      cache.shrinkTo(maxBlocks)
    }
  }
  const merge = ({ now, deltas, series }: Requests['merge']): null => {
    for (const one of series) touched.set(one.slot, one)
    let failure: Error | undefined
    for (const delta of deltas) {
      try {
        addDelta(cache, delta, now)
        makeRoom(now)
      } catch (error) {
        // One damaged block must not take the other series with it.
        failure ??= error as Error
      }
    }
    if (failure !== undefined) throw failure
    return null
  }
  const forget = ({ now, slot }: Requests['forget']): null => {
    cache.forget(slot)
    touched.delete(slot)
    statements.transaction(() => statements.forget(slot, now))
    return null
  }
  const blockAt = (place: BlockPlace): Block | undefined => cache.peek(place) ?? statements.load(place)
  return {
    calls: {
      merge: (request) => explained(path, () => merge(request)),
      persist: ({ now }) => explained(path, () => persist(now)),
      read: ({ slots, plan }) => explained(path, () => slots.map((slot) => readSlot(blockAt, slot, plan))),
      forget: (request) => explained(path, () => forget(request)),
    },
    known: explained(path, () => statements.known()),
    close: () => explained(path, () => database.close()),
  }
}

function addDelta(cache: BlockCache, { slot, start, bytes }: Delta, now: number): void {
  const block = decodeBlock(bytes)
  if (start >= horizon(seconds, now))
    for (const [place, cell] of block) cache.add(seconds, slot, { at: start + place * seconds.stepMs, cell })
  const total = totalOfCells(block.values())
  // A delta lies within one minute, so that its total is one cell of the coarser tiers.
  for (const tier of [minutes, hours])
    if (total !== undefined && start >= horizon(tier, now)) cache.add(tier, slot, { at: start, cell: total })
}

function readSlot(blockAt: (place: BlockPlace) => Block | undefined, slot: number, plan: Plan): Point[] {
  const { tier, stepMs, from, to } = plan
  const steps = new Map<number, Cell>()
  for (let start = blockStart(tier, from); start < to; start += spanMs(tier)) {
    const block = blockAt({ tier, start, slot }) ?? []
    for (const [place, cell] of [...block].sort(([a], [b]) => a - b)) {
      const at = start + place * tier.stepMs
      if (at >= from && at < to) mergeAt(steps, floorTo(at, stepMs), cell)
    }
  }
  return [...steps].map(([at, cell]) => pointOf(at, cell))
}

interface Statements {
  load(place: BlockPlace): Block | undefined
  store(place: BlockPlace, block: Block): void
  known(): readonly StoredSeries[]
  storeSeries(series: StoredSeries): void
  /** Removes what no tier keeps. */
  retain(now: number): void
  forget(slot: number, now: number): void
  transaction(act: () => void): void
}

function prepareStatements(database: DatabaseSync): Statements {
  const load = database.prepare('SELECT data FROM blocks WHERE tier = ? AND start = ? AND slot = ?')
  const store = database.prepare(
    'INSERT OR REPLACE INTO blocks (tier, start, slot, data) VALUES (?, ?, ?, ?)',
  )
  const known = database.prepare('SELECT slot, name, labels, kind, seen_at FROM series ORDER BY slot')
  const storeSeries = database.prepare(
    'INSERT OR REPLACE INTO series (slot, name, labels, kind, seen_at) VALUES (?, ?, ?, ?, ?)',
  )
  const removeBefore = database.prepare('DELETE FROM blocks WHERE tier = ? AND start < ?')
  const removeAfter = database.prepare('DELETE FROM blocks WHERE tier = ? AND start > ?')
  const remove = database.prepare('DELETE FROM blocks WHERE tier = ? AND start = ? AND slot = ?')
  const removeSeries = database.prepare('DELETE FROM series WHERE slot = ?')
  const retain = (now: number): void => {
    for (const tier of tiers) {
      removeBefore.run(tier.number, horizon(tier, now))
      // Only holds something after the clock was ahead and went back.
      removeAfter.run(tier.number, now + tier.keepMs)
    }
  }
  return {
    load: ({ tier, start, slot }) => {
      const row = load.get(tier.number, start, slot)
      return row === undefined ? undefined : decodeBlock(row['data'] as Uint8Array)
    },
    store: ({ tier, start, slot }, block) => void store.run(tier.number, start, slot, encodeBlock(block)),
    known: () => known.all().map(storedSeries),
    storeSeries: ({ slot, key, kind, seenAt }) =>
      void storeSeries.run(slot, key.name, JSON.stringify(key.labels), kind, Math.round(seenAt)),
    retain,
    forget: (slot, now) => {
      // Afterwards every block lies between the horizon and the far end: no scan for those of the slot.
      retain(now)
      for (const tier of tiers)
        for (let start = horizon(tier, now); start <= now + tier.keepMs; start += spanMs(tier))
          remove.run(tier.number, start, slot)
      removeSeries.run(slot)
    },
    transaction: (act) => transact(database, act),
  }
}

function storedSeries(row: Readonly<Record<string, unknown>>): StoredSeries {
  return {
    slot: Number(row['slot']),
    key: { name: String(row['name']), labels: JSON.parse(String(row['labels'])) as Record<string, string> },
    kind: String(row['kind']) as MeasureKind,
    seenAt: Number(row['seen_at']),
  }
}
