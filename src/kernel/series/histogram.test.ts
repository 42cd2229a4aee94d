import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { measuredAll, quantileOf } from './cell.ts'
import {
  add,
  bucketCount,
  bucketOf,
  bucketValue,
  emptyHistogram,
  histogramFromCounts,
  largestValue,
  merge,
  quantile,
  relativeError,
  smallestValue,
  totalOf,
} from './histogram.ts'
import type { Histogram } from './port.ts'

const values = fc.array(fc.double({ min: smallestValue, max: 1e9, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
})
const histogramOf = (list: readonly number[]): Histogram =>
  list.reduce((histogram, value) => add(histogram, value), emptyHistogram)
const tolerance = relativeError + 1e-9

describe('buckets', () => {
  test('a bucket stands for its values within the relative error', () => {
    fc.assert(
      fc.property(fc.double({ min: smallestValue * 1.0001, max: largestValue, noNaN: true }), (value) => {
        const error = Math.abs(bucketValue(bucketOf(value)) - value) / value
        expect(error).toBeLessThanOrEqual(tolerance)
      }),
      { numRuns: 2000 },
    )
  })

  test('the index never falls as the value grows, and the value stands in its own bucket', () => {
    for (let index = 1; index < bucketCount; index++) {
      expect(bucketValue(index)).toBeGreaterThan(bucketValue(index - 1))
      expect(bucketOf(bucketValue(index))).toBe(index)
    }
  })

  test('values out of range collapse into the first and last bucket', () => {
    for (const value of [0, -1, Number.NaN, smallestValue, -Infinity]) expect(bucketOf(value)).toBe(0)
    for (const value of [largestValue * 2, Infinity, Number.MAX_VALUE])
      expect(bucketOf(value)).toBe(bucketCount - 1)
  })
})

describe('merge', () => {
  test('is commutative and associative, with the empty histogram as its neutral element', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const [x, y, z] = [histogramOf(a), histogramOf(b), histogramOf(c)]
        expect(merge(x, y)).toEqual(merge(y, x))
        expect(merge(merge(x, y), z)).toEqual(merge(x, merge(y, z)))
        expect(merge(x, emptyHistogram)).toEqual(x)
      }),
      { numRuns: 50 },
    )
  })

  test('equals a histogram of all values, however they were counted', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const counts = new Int32Array(new SharedArrayBuffer(bucketCount * 4))
        for (const value of [...a, ...b]) Atomics.add(counts, bucketOf(value), 1)
        const merged = merge(histogramOf(a), histogramOf(b))
        expect(merged).toEqual(histogramOf([...a, ...b]))
        expect(merged).toEqual(histogramFromCounts(counts))
        expect(merged).toEqual(measuredAll(0, [...a, ...b]).histogram)
        expect(totalOf(merged)).toBe(a.length + b.length)
      }),
      { numRuns: 50 },
    )
  })
})

describe('quantile', () => {
  test('is within the relative error of the exact quantile', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = [...list].sort((a, b) => a - b)
        const exact = sorted[Math.floor(q * (list.length - 1))] ?? Number.NaN
        const estimate = quantile(histogramOf(list), q) ?? Number.NaN
        // What is at the very bottom has collapsed into zero.
        const error = exact <= smallestValue ? estimate : Math.abs(estimate - exact) / exact
        expect(error).toBeLessThanOrEqual(tolerance)
      }),
      { numRuns: 500 },
    )
  })

  test('of nothing is null, and a share outside 0 to 1 is taken as the nearer end', () => {
    expect(quantile(emptyHistogram, 0.5)).toBeNull()
    const histogram = histogramOf([10, 20, 30])
    expect(quantile(histogram, 7)).toBe(quantile(histogram, 1))
    expect(quantile(histogram, -7)).toBe(quantile(histogram, 0))
  })

  test('of a point stays between its exact minimum and maximum', () => {
    const measurement = measuredAll(0, [3, 7, 100])
    expect(quantileOf(measurement, 0)).toBeGreaterThanOrEqual(3)
    expect(quantileOf(measurement, 1)).toBeLessThanOrEqual(100)
    expect(quantileOf({ count: 1, sum: 1, minimum: 1, maximum: 1 }, 0.5)).toBeNull()
  })
})
