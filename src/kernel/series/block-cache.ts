import type { Block } from './block.ts'
import { mergeAt, type Cell } from './cell.ts'
import { blockStart, slotOf, spanMs, type Tier } from './tiers.ts'

/** Where a block belongs: its tier, the start of its span, and the slot of its series. */
export interface BlockPlace {
  readonly tier: Tier
  readonly start: number
  readonly slot: number
}

/** A block in memory. */
export interface CachedBlock extends BlockPlace {
  readonly block: Block
  /** Whether it differs from what is stored. */
  dirty: boolean
}

/** The blocks that still change, in front of the stored ones. */
export interface BlockCache {
  /** Adds what was measured in the step that starts at `at`. */
  add(tier: Tier, slot: number, measured: { readonly at: number; readonly cell: Cell }): void
  peek(place: BlockPlace): Block | undefined
  dirty(): readonly CachedBlock[]
  /** Notes that everything is stored, and lets go of blocks whose span is over. */
  settle(now: number): void
  forget(slot: number): void
  /** Lets go of the first in, stored or not, until at most `size` are left. */
  shrinkTo(size: number): void
  readonly size: number
}

/** Creates a cache over `load`, which finds a stored block. */
export function createBlockCache(load: (place: BlockPlace) => Block | undefined): BlockCache {
  const entries = new Map<string, CachedBlock>()
  const entryAt = (place: BlockPlace): CachedBlock => {
    const name = nameOf(place)
    const found = entries.get(name)
    if (found !== undefined) return found
    const entry = { ...place, block: load(place) ?? new Map<number, Cell>(), dirty: false }
    entries.set(name, entry)
    return entry
  }
  return {
    add: (tier, slot, { at, cell }) => {
      const entry = entryAt({ tier, start: blockStart(tier, at), slot })
      mergeAt(entry.block, slotOf(tier, at), cell)
      entry.dirty = true
    },
    peek: (place) => entries.get(nameOf(place))?.block,
    dirty: () => [...entries.values()].filter((entry) => entry.dirty),
    settle: (now) => {
      for (const [name, entry] of entries) {
        entry.dirty = false
        if (entry.start + spanMs(entry.tier) <= now) entries.delete(name)
      }
    },
    forget: (slot) => {
      for (const [name, entry] of entries) if (entry.slot === slot) entries.delete(name)
    },
    shrinkTo: (size) => {
      for (const name of entries.keys()) {
        if (entries.size <= size) return
        entries.delete(name)
      }
    },
    get size() {
      return entries.size
    },
  }
}

function nameOf({ tier, start, slot }: BlockPlace): string {
  return `${tier.number}/${start}/${slot}`
}
