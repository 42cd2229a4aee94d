import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from './index.ts'

/** 64 buckets of six places. */
const PLACES = 384
const limiterOf = (text: string, capacity = 100) =>
  createLimiter({ limits: [{ name: 'limit', rule: parseLimit(text) }], capacity, seed: [3, 1] })

describe('a full table', () => {
  test('holds its capacity without displacing anybody to speak of', () => {
    const capacity = 100_000
    const limiter = limiterOf('60/hour', capacity)
    for (let index = 0; index < capacity; index++) limiter.takeText(0, `key ${index}`, 0)
    expect(limiter.displaced()).toBeLessThan(capacity / 200)
    expect(limiter.sizeBytes / capacity).toBeLessThan(16)
    let kept = 0
    for (let index = 0; index < capacity; index++)
      if (limiter.peek(0, limiter.hash(`key ${index}`), 0).used > 0) kept++
    expect(kept).toBeGreaterThan(capacity * 0.995)
  })

  test('never gives up the most loaded: heavy hitters stay refused under a flood of new keys', () => {
    const limiter = limiterOf('100/hour per ip burst 100')
    const heavy = Array.from({ length: 30 }, (_, index) => limiter.hash(`heavy ${index}`))
    for (const key of heavy) expect(limiter.take([{ limit: 0, key, cost: 100 }], 0).admitted).toBe(true)
    const { sizeBytes } = limiter
    for (let index = 0; index < 100_000; index++)
      limiter.takeText(0, `spoofed ${index}`, Math.floor(index / 100))
    for (const key of heavy) expect(limiter.takeOne(0, key, 1000)).toBeGreaterThan(0)
    expect(limiter.displaced()).toBeGreaterThan(1000)
    expect(limiter.sizeBytes).toBe(sizeBytes)
  })

  test('gives up the least loaded: while there is one, a new key is admitted', () => {
    const limiter = limiterOf('100/hour per ip burst 100')
    for (let index = 0; index < 100; index++) {
      limiter.take([{ limit: 0, key: limiter.hash(`heavy ${index}`), cost: 100 }], 0)
    }
    let admitted = 0
    for (let index = 0; index < 600; index++) if (limiter.takeText(0, `new ${index}`, 0) === 0) admitted++
    expect(limiter.displaced()).toBeGreaterThan(300)
    expect(admitted).toBeGreaterThan(500)
  })

  test('a heavy hitter admits no more than its limit while others flood', () => {
    const flood = fc.array(fc.record({ spoofed: fc.nat({ max: 40 }), gap: fc.nat({ max: 2000 }) }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(flood, fc.nat(), (list, seed) => {
        const limiter = createLimiter({
          limits: [{ name: 'limit', rule: parseLimit('20/min burst 20') }],
          capacity: 1,
          seed: [seed, 1],
        })
        const key = limiter.hash('heavy')
        let at = 0
        let admitted = 0
        for (const { spoofed, gap } of list) {
          at += gap
          for (let index = 0; index < 25; index++) if (limiter.takeOne(0, key, at) === 0) admitted++
          for (let index = 0; index < spoofed * 20; index++) limiter.takeText(0, `${at} ${index}`, at)
        }
        expect(admitted).toBeLessThanOrEqual(20 + at / 3000)
      }),
      { numRuns: 50 },
    )
  })

  test('those who come to a full table share what is least in use, so that together they get no more than it holds', () => {
    const limiter = limiterOf('1/hour')
    let admitted = 0
    for (let index = 0; index < 20_000; index++) if (limiter.takeText(0, `key ${index}`, 0) === 0) admitted++
    expect(admitted).toBe(PLACES)
    expect(limiter.takeText(0, 'one more', 0)).toBeGreaterThan(0)
    expect(limiter.takeText(0, 'one more', 3_600_000)).toBe(0)
  })

  test('idle keys make room for new ones at once', () => {
    const limiter = limiterOf('60/min burst 10')
    for (let round = 0; round < 50; round++) {
      for (let index = 0; index < 100; index++) {
        expect(limiter.takeText(0, `${round} ${index}`, round * 1100)).toBe(0)
      }
    }
    expect(limiter.displaced()).toBe(0)
  })

  test('a table of one key works, with as many windows at once as fit', () => {
    const limits = Array.from({ length: 16 }, (_, index) => ({
      name: `window ${index}`,
      rule: parseLimit('16 in any hour'),
    }))
    const limiter = createLimiter({ limits, capacity: 1, seed: [4, 5] })
    const takes = limits.map((_, limit) => ({ limit, key: limiter.hash('a'), cost: 16 }))
    const first = limiter.take(takes, 0)
    expect(limiter.take(takes, 0).admitted).toBe(false)
    expect(limiter.peek(15, limiter.hash('a'), 0).used).toBe(first.admitted ? 16 : 0)
  })
})

test('keys by the million do not mix: each gets its own burst', () => {
  const limiter = limiterOf('2/hour', 200_000)
  const verdicts = [0, 0, 0]
  for (let index = 0; index < 100_000; index++) {
    for (let turn = 0; turn < 3; turn++) {
      if (limiter.takeText(0, `user:${index}`, turn) === 0) verdicts[turn] = (verdicts[turn] ?? 0) + 1
    }
  }
  expect(verdicts).toEqual([100_000, 100_000, 0])
})
