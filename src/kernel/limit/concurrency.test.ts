import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from './index.ts'

const LEASE_MS = 10_000
const limiterOf = (text: string, leaseMs = LEASE_MS) =>
  createLimiter({
    limits: [{ name: 'exports', rule: parseLimit(text), leaseMs }],
    capacity: 100,
    seed: [7, 8],
  })

describe('a concurrency limit', () => {
  test('admits up to its number at once, and again after a release', () => {
    const limiter = limiterOf('2 at once per user')
    const takes = [{ limit: 0, key: limiter.hash('ada') }]
    expect(limiter.take(takes, 0)).toMatchObject({ admitted: true, remaining: 1 })
    expect(limiter.take(takes, 1)).toMatchObject({ admitted: true, remaining: 0 })
    expect(limiter.take(takes, 2)).toMatchObject({ admitted: false, refusedBy: 0, retryAfterMs: 1000 })
    limiter.release(takes, 0, 3)
    expect(limiter.peek(0, limiter.hash('ada'), 3)).toMatchObject({ used: 1, limit: 2 })
    expect(limiter.take(takes, 4).admitted).toBe(true)
  })

  test('a holder that never releases loses its place after one to two leases', () => {
    const limiter = limiterOf('1 at once')
    const takes = [{ limit: 0, key: limiter.hash('') }]
    for (const start of [3000, 100_000, 5_000_000]) {
      expect(limiter.take(takes, start).admitted).toBe(true)
      expect(limiter.take(takes, start + LEASE_MS).admitted).toBe(false)
      expect(limiter.take(takes, start + 2 * LEASE_MS).admitted).toBe(true)
      limiter.release(takes, start, start + 2 * LEASE_MS)
      expect(limiter.peek(0, limiter.hash(''), start + 2 * LEASE_MS).used).toBe(1)
      limiter.release(takes, start + 2 * LEASE_MS, start + 2 * LEASE_MS)
    }
  })

  test('a renewed lease lives on; an expired one cannot be renewed', () => {
    const limiter = limiterOf('1 at once')
    const takes = [{ limit: 0, key: limiter.hash('') }]
    limiter.take(takes, 0)
    let held = 0
    for (let at = 8000; at < 200_000; at += 8000) {
      expect(limiter.renew(takes, held, at)).toBe(true)
      held = at
      expect(limiter.take(takes, at).admitted).toBe(false)
    }
    limiter.release(takes, held, held + 1)
    expect(limiter.take(takes, held + 2).admitted).toBe(true)
    expect(limiter.renew(takes, held + 2, held + 2 + 2 * LEASE_MS)).toBe(false)
    expect(limiter.take(takes, held + 2 + 2 * LEASE_MS).admitted).toBe(true)
  })

  test('agrees with a list of leases, whoever comes and goes', () => {
    const steps = fc.array(
      fc.record({
        gap: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 0, max: 3000 }),
          fc.integer({ min: 0, max: 200_000 }),
        ),
        cost: fc.integer({ min: 1, max: 4 }),
        releases: fc.option(fc.nat(), { nil: undefined, freq: 2 }),
      }),
      { maxLength: 100 },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.nat({ max: 2 ** 40 }),
        steps,
        (count, startMs, list) => {
          const limiter = limiterOf(`${count} at once`)
          const key = limiter.hash('k')
          let at = startMs
          let held: { at: number; cost: number }[] = []
          const alive = (lease: { at: number }): boolean =>
            Math.floor(at / LEASE_MS) - Math.floor(lease.at / LEASE_MS) <= 1
          for (const { gap, cost, releases } of list) {
            at += gap
            held = held.filter((lease) => alive(lease))
            const gone = releases === undefined ? undefined : held[releases % Math.max(1, held.length)]
            if (gone !== undefined) {
              limiter.release([{ limit: 0, key, cost: gone.cost }], gone.at, at)
              held = held.filter((lease) => lease !== gone)
            }
            const used = held.reduce((sum, lease) => sum + lease.cost, 0)
            expect(limiter.peek(0, key, at).used).toBe(used)
            const { admitted } = limiter.take([{ limit: 0, key, cost }], at)
            expect(admitted).toBe(used + cost <= count)
            if (admitted) held.push({ at, cost })
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a dry run counts what goes on at once beyond its number, and is released alike', () => {
    const limiter = limiterOf('dry run 1 at once')
    const takes = [{ limit: 0, key: limiter.hash('') }]
    expect(limiter.take(takes, 0)).toMatchObject({ admitted: true, wouldRefuse: [] })
    expect(limiter.take(takes, 0)).toMatchObject({ admitted: true, wouldRefuse: [0] })
    expect(limiter.peek(0, limiter.hash(''), 0).used).toBe(2)
    limiter.release(takes, 0, 0)
    limiter.release(takes, 0, 0)
    expect(limiter.peek(0, limiter.hash(''), 0).used).toBe(0)
  })

  test.each([5000, 60_000, 86_400_000])(
    'a clock set back by %i ms frees no place and keeps none for ever',
    (back) => {
      const limiter = limiterOf('1 at once')
      const takes = [{ limit: 0, key: limiter.hash('') }]
      const start = 1_760_000_000_000
      expect(limiter.take(takes, start).admitted).toBe(true)
      expect(limiter.take(takes, start - back).admitted).toBe(false)
      limiter.release(takes, start, start - back + 1)
      expect(limiter.take(takes, start - back + 2).admitted).toBe(true)
      expect(limiter.take(takes, start - back + 2 + 2 * LEASE_MS + 65_536).admitted).toBe(true)
    },
  )
})
