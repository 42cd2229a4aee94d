import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from './index.ts'

const limiterOf = (text: string) =>
  createLimiter({ limits: [{ name: 'window', rule: parseLimit(text) }], capacity: 5000, seed: [5, 6] })

/** Remembers every unit. */
class Model {
  taken: number[] = []
  readonly count: number
  readonly periodMs: number

  constructor(count: number, periodMs: number) {
    this.count = count
    this.periodMs = periodMs
  }

  take(nowMs: number, cost: number): boolean {
    this.taken = this.taken.filter((at) => nowMs - at < this.periodMs)
    if (this.taken.length + cost > this.count) return false
    for (let unit = 0; unit < cost; unit++) this.taken.push(nowMs)
    return true
  }
}

const periods = [10, 1000, 60_000, 3_600_000, 604_800_000]
const shapes = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 1000 })),
  periodMs: fc.constantFrom(...periods),
  startMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 41 })),
  steps: fc.array(
    fc.record({
      /** In thousandths of the period. */
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 5000 })),
      cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 64 })),
    }),
    { maxLength: 60 },
  ),
})

describe('a window', () => {
  test('admits exactly what a list of all admissions would', () => {
    fc.assert(
      fc.property(shapes, ({ count, periodMs, startMs, steps }) => {
        const limiter = limiterOf(`${count} in any ${periodMs}ms`)
        const model = new Model(count, periodMs)
        const key = limiter.hash('channel')
        let at = startMs
        for (const { gap, cost } of steps) {
          at += Math.floor((gap * periodMs) / 1000)
          const verdict = limiter.take([{ limit: 0, key, cost }], at)
          expect(verdict.admitted).toBe(model.take(at, cost))
          model.take(at, 0)
          const left = count - model.taken.length
          expect(verdict.remaining).toBe(cost > count ? 0 : left)
          expect(limiter.peek(0, key, at)).toMatchObject({ used: count - left, limit: count })
        }
      }),
      { numRuns: 300 },
    )
  })

  test('says when it admits again', () => {
    const limiter = limiterOf('3 in any hour per channel')
    const key = limiter.hash('#alerts')
    for (const at of [0, 600_000, 1_200_000]) expect(limiter.takeOne(0, key, at)).toBe(0)
    expect(limiter.takeOne(0, key, 1_800_000)).toBe(1_800_000)
    expect(limiter.takeOne(0, key, 3_599_999)).toBe(1)
    expect(limiter.takeOne(0, key, 3_600_000)).toBe(0)
    expect(limiter.peek(0, key, 3_600_000)).toEqual({
      used: 3,
      limit: 3,
      remaining: 0,
      retryAfterMs: 600_000,
      resetsAtMs: 7_200_000,
    })
    expect(limiter.take([{ limit: 0, key, cost: 2 }], 3_600_000).retryAfterMs).toBe(1_200_000)
  })

  test('fractions of a millisecond never let one more in', () => {
    const limiter = limiterOf('2 in any 100ms')
    const key = limiter.hash('a')
    expect([0.5, 0.7].map((at) => limiter.takeOne(0, key, at))).toEqual([0, 0])
    expect(limiter.takeOne(0, key, 100.4)).toBeGreaterThan(0)
    expect(limiter.takeOne(0, key, 100.6)).toBe(0)
    expect(limiter.takeOne(0, key, 100.65)).toBeGreaterThan(0)
  })

  test('keeps keys apart, also those of a thousand places', () => {
    const limiter = limiterOf('100 in any day per user')
    const keys = Array.from({ length: 20 }, (_, index) => limiter.hash(`user ${index}`))
    for (const key of keys) {
      let admitted = 0
      for (let turn = 0; turn < 120; turn++) if (limiter.takeOne(0, key, 1000 + turn) === 0) admitted++
      expect(admitted).toBe(100)
    }
    expect(limiter.displaced()).toBe(0)
  })

  test('refuses a cost that it can never admit, and one of more than 64 units as a mistake', () => {
    const limiter = limiterOf('200 in any day')
    const key = limiter.hash('a')
    expect(() => limiter.take([{ limit: 0, key, cost: 65 }], 0)).toThrow(/at most 64/)
    expect(limiterOf('5 in any day').take([{ limit: 0, key, cost: 6 }], 0).retryAfterMs).toBe(Infinity)
  })
})
