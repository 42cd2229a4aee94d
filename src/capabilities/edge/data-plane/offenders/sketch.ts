import type { KeyHash } from '../../../../kernel/limit/index.ts'

/**
 * Who was seen most, in memory that never grows: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005) over typed
 * arrays. Somebody new takes the slot of whoever was seen least, with its count as a debt. So of N units in K slots
 *
 * - a count is too high by at most its error, and an error is at most N / K;
 * - whoever was seen more than N / K times has a slot.
 *
 * What is seen is a key under a limit. Slots are found by a chained hash table of fixed size.
 */
export class Sketch {
  declare readonly slots: number
  /** Slots in use; they are numbered from 0. */
  size = 0
  /** Whether the slot that `add` answered with last has just changed hands. */
  isFresh = false
  /** No slot has a lower count. */
  private lowest = 0
  private cursor = 0
  declare private readonly heads: Int32Array
  declare private readonly next: Int32Array
  declare private readonly limits: Int32Array
  declare private readonly keys: Float64Array
  declare private readonly counts: Float64Array
  declare private readonly errors: Float64Array

  /** So many slots, from 1. */
  constructor(slots: number) {
    this.slots = slots
    this.heads = new Int32Array(2 ** Math.ceil(Math.log2(2 * slots))).fill(-1)
    this.next = new Int32Array(slots).fill(-1)
    this.limits = new Int32Array(slots)
    this.keys = new Float64Array(slots)
    this.counts = new Float64Array(slots)
    this.errors = new Float64Array(slots)
  }

  /** The slot of a key under a limit, or -1. */
  find(limit: number, key: KeyHash): number {
    let slot = this.heads[this.chainOf(limit, key)] ?? -1
    while (slot >= 0 && (this.keys[slot] !== key || this.limits[slot] !== limit)) slot = this.next[slot] ?? -1
    return slot
  }

  /** Counts units; answers with the slot. */
  add(limit: number, key: KeyHash, units = 1): number {
    const known = this.find(limit, key)
    this.isFresh = known < 0
    const slot = known < 0 ? this.seat(limit, key) : known
    this.counts[slot] = this.count(slot) + units
    return slot
  }

  /** Units counted for a slot, never less than there were. */
  count(slot: number): number {
    return this.counts[slot] ?? 0
  }

  /** By how much that may be too high. */
  error(slot: number): number {
    return this.errors[slot] ?? 0
  }

  /** Begins to count anew; whoever has a slot keeps it until somebody is seen more. */
  restart(): void {
    this.counts.fill(0)
    this.errors.fill(0)
    this.lowest = 0
  }

  private seat(limit: number, key: KeyHash): number {
    const slot = this.size < this.slots ? this.size++ : this.vacate()
    this.errors[slot] = this.count(slot)
    this.limits[slot] = limit
    this.keys[slot] = key
    const chain = this.chainOf(limit, key)
    this.next[slot] = this.heads[chain] ?? -1
    this.heads[chain] = slot
    return slot
  }

  /** Takes the slot with the lowest count out of its chain. */
  private vacate(): number {
    const least = this.findLeast()
    const chain = this.chainOf(this.limits[least] ?? 0, this.keys[least] ?? 0)
    if (this.heads[chain] === least) this.heads[chain] = this.next[least] ?? -1
    else this.unlink(this.heads[chain] ?? -1, least)
    return least
  }

  /**
   * Looks on from where it looked last: the lowest count only grows, so whoever has no more than it is as good as any,
   * and in a flood of newcomers all slots are gone through once before it has grown.
   */
  private findLeast(): number {
    let least = this.cursor
    for (let looked = 0; looked < this.slots; looked++) {
      const slot = this.cursor
      this.cursor = slot + 1 < this.slots ? slot + 1 : 0
      if (this.count(slot) <= this.lowest) return slot
      if (this.count(slot) < this.count(least)) least = slot
    }
    this.lowest = this.count(least)
    return least
  }

  private unlink(head: number, slot: number): void {
    let before = head
    while (before >= 0 && this.next[before] !== slot) before = this.next[before] ?? -1
    if (before >= 0) this.next[before] = this.next[slot] ?? -1
  }

  private chainOf(limit: number, key: KeyHash): number {
    return (key ^ Math.imul(limit + 1, 0x9e3779b1)) & (this.heads.length - 1)
  }
}
