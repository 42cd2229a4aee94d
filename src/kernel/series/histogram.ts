import type { Histogram } from './port.ts'

/**
 * Logarithmic buckets as in DDSketch (Masson, Rim, Lee, VLDB 2019): bucket `i` covers
 * (smallest * gamma^(i-1), smallest * gamma^i], so that its representative value is off by at most
 * `relativeError`. The number of buckets is fixed: values up to `smallestValue` collapse into bucket 0,
 * values above `largestValue` into the last.
 */
export const relativeError = 0.015

/** Number of buckets; a plain `Int32Array(bucketCount)` in shared memory is a histogram (4 KiB). */
export const bucketCount = 1024

/** Values up to here (a microsecond, if milliseconds are measured) count as zero. */
export const smallestValue = 0.001

const gamma = (1 + relativeError) / (1 - relativeError)
const bucketsPerNat = 1 / Math.log(gamma)
const offset = Math.log(smallestValue) * bucketsPerNat

/** Values above this (about 2 * 10^10: 7 months in milliseconds, 20 GB in bytes) fall into the last bucket. */
export const largestValue = smallestValue * gamma ** (bucketCount - 1)

/** Index of the bucket, 0 to `bucketCount - 1`, for a value; zero, negative and NaN go to bucket 0. */
export function bucketOf(value: number): number {
  if (!(value > smallestValue)) return 0
  // Rounding must not let a value just above the smallest fall to zero.
  const index = Math.max(1, Math.ceil(Math.log(value) * bucketsPerNat - offset))
  return index < bucketCount ? index : bucketCount - 1
}

/** The value that a bucket stands for. */
export function bucketValue(index: number): number {
  return index <= 0 ? 0 : (2 * smallestValue * gamma ** index) / (gamma + 1)
}

/** A histogram of nothing. */
export const emptyHistogram: Histogram = { buckets: {} }

/** Histogram of counts per bucket, as the data plane keeps them; indexes from `bucketCount` on are ignored. */
export function histogramFromCounts(counts: ArrayLike<number>): Histogram {
  const buckets: Record<string, number> = {}
  for (let index = 0; index < Math.min(counts.length, bucketCount); index++) {
    const count = counts[index] ?? 0
    if (count > 0) buckets[index] = count
  }
  return { buckets }
}

/** The histogram with `times` (1 or more) further occurrences of a value. */
export function add(histogram: Histogram, value: number, times = 1): Histogram {
  const index = bucketOf(value)
  return { buckets: { ...histogram.buckets, [index]: (histogram.buckets[index] ?? 0) + times } }
}

/** Both together; associative and commutative, and the same as if all values had gone into one. */
export function merge(one: Histogram, other: Histogram): Histogram {
  const buckets: Record<string, number> = { ...one.buckets }
  for (const [index, count] of Object.entries(other.buckets)) buckets[index] = (buckets[index] ?? 0) + count
  return { buckets }
}

/** How many values are in it. */
export function totalOf(histogram: Histogram): number {
  let total = 0
  for (const count of Object.values(histogram.buckets)) total += count
  return total
}

/**
 * The value below which the share `q` (0 to 1) of all values lies: within `relativeError` of the value at
 * rank floor(q * (n - 1)) of the sorted values, if that is between the smallest and largest. Null when empty.
 */
export function quantile(histogram: Histogram, q: number): number | null {
  const total = totalOf(histogram)
  if (total === 0) return null
  const rank = Math.floor(Math.min(1, Math.max(0, q)) * (total - 1))
  // Integer keys of an object come in ascending order (ECMA-262, OrdinaryOwnPropertyKeys).
  const entries = Object.entries(histogram.buckets)
  let seen = 0
  for (const [index, count] of entries) {
    seen += count
    if (seen > rank) return bucketValue(Number(index))
  }
  return bucketValue(bucketCount - 1)
}
