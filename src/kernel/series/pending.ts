import type { Delta, StoredSeries } from './archive.ts'
import { encodeBlock, type Block } from './block.ts'
import { cellOf, mergeAt } from './cell.ts'
import type { Measurement } from './port.ts'
import type { Registry } from './registry.ts'
import { blockStart, seconds, slotOf } from './tiers.ts'

/** What was measured and not handed on yet: at most `maxBlocks` minutes of series. */
export interface Pending {
  /** False when the measurement is not sound, its series has no room or too much is waiting. */
  add(measurement: Measurement, slotOfSeries: () => number | undefined): boolean
  isEmpty(): boolean
  take(registry: Registry): { readonly deltas: readonly Delta[]; readonly series: readonly StoredSeries[] }
  forget(slot: number): void
}

/** Creates an empty one. */
export function createPending(maxBlocks: number): Pending {
  const bySlot = new Map<number, Map<number, Block>>()
  let blocks = 0
  const blockAt = (slot: number, start: number): Block | undefined => {
    const existing = bySlot.get(slot)?.get(start)
    if (existing !== undefined || blocks >= maxBlocks) return existing
    const block: Block = new Map()
    const ofSlot = bySlot.get(slot) ?? new Map<number, Block>()
    bySlot.set(slot, ofSlot.set(start, block))
    blocks++
    return block
  }
  const deltaOf = (slot: number, [start, block]: readonly [number, Block]): Delta => ({
    slot,
    start,
    bytes: encodeBlock(block),
  })
  return {
    add: (measurement, slotOfSeries) => {
      const cell = cellOf(measurement)
      const slot = cell === undefined ? undefined : slotOfSeries()
      if (cell === undefined || slot === undefined) return false
      const block = blockAt(slot, blockStart(seconds, measurement.at))
      if (block !== undefined) mergeAt(block, slotOf(seconds, measurement.at), cell)
      return block !== undefined
    },
    isEmpty: () => blocks === 0,
    take: (registry) => {
      const deltas = [...bySlot].flatMap(([slot, ofSlot]) => [...ofSlot].map((entry) => deltaOf(slot, entry)))
      const series = [...bySlot.keys()].flatMap((slot) => registry.get(slot) ?? [])
      bySlot.clear()
      blocks = 0
      return { deltas, series }
    },
    forget: (slot) => {
      blocks -= bySlot.get(slot)?.size ?? 0
      bySlot.delete(slot)
    },
  }
}
