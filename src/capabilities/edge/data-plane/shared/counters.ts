import { bucketCount, bucketOf } from '../../../../kernel/series/index.ts'
import type { SlotPlan } from './slot-plan.ts'

/** What is counted of a route; all are drained once a second. Of a group: requests, failures and latencies. */
export const counted = {
  requests: 0,
  /** Answers of class 1xx to 5xx are counted at `classes + 0` to `classes + 4`. */
  classes: 1,
  refused: 6,
  wouldRefuse: 7,
  /** Of a route those that the edge answered, of a group all. */
  failures: 8,
  bytesIn: 9,
  bytesOut: 10,
  latencies: 11,
} as const

const fieldCount = 12

/** Counts of all routes and groups of one policy in memory that all threads share; see `SlotPlan`. */
export interface Counters {
  readonly buffer: SharedArrayBuffer
  /** Adds to a count of a slot; amounts from 0 to 2^32 - 1 in a second. */
  add(slot: number, field: number, amount: number): void
  /** Counts a duration, milliseconds. */
  addLatency(slot: number, durationMs: number): void
  /** Takes a count and sets it to 0. */
  take(slot: number, field: number): number
  /** Takes the histogram of a slot, bucket index to count, and empties it. */
  takeLatencies(slot: number): Record<string, number>
}

/** Creates the counters of a plan, or attaches to those of another thread. */
export function openCounters({ routes, groups }: SlotPlan, buffer?: SharedArrayBuffer): Counters {
  const slots = routes.length + groups.length
  const shared = buffer ?? new SharedArrayBuffer(4 * slots * (fieldCount + bucketCount))
  const cells = new Int32Array(shared)
  const firstBucket = slots * fieldCount
  const take = (index: number): number => Atomics.exchange(cells, index, 0) >>> 0
  return {
    buffer: shared,
    add: (slot, field, amount) => void Atomics.add(cells, slot * fieldCount + field, amount),
    addLatency: (slot, durationMs) => {
      Atomics.add(cells, slot * fieldCount + counted.latencies, 1)
      Atomics.add(cells, firstBucket + slot * bucketCount + bucketOf(durationMs), 1)
    },
    take: (slot, field) => take(slot * fieldCount + field),
    takeLatencies: (slot) => {
      const buckets: Record<string, number> = {}
      const first = firstBucket + slot * bucketCount
      for (let bucket = 0; bucket < bucketCount; bucket++) {
        const count = cells[first + bucket] === 0 ? 0 : take(first + bucket)
        if (count > 0) buckets[bucket] = count
      }
      return buckets
    },
  }
}
