import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from './index.ts'

const texts = fc.constantFrom(
  '60/min burst 3',
  '7/min',
  '1001/day burst 4',
  '4 in any 10s',
  '30 in any hour',
  '5/day resets 02:30 Europe/Vienna',
  '9/week resets Sun 00:00',
  '3 at once',
)
const gaps = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: 90_000_000 }),
)
const starts = fc.integer({ min: Date.parse('2026-10-24'), max: Date.parse('2026-10-26') })

const copyOf = (buffer: SharedArrayBuffer): SharedArrayBuffer => buffer.slice(0)

describe('a standing', () => {
  test('says the same of every kind: what is left, when one more is admitted, and when all is as if unused', () => {
    fc.assert(
      fc.property(texts, starts, fc.array(gaps, { maxLength: 60 }), (text, startMs, list) => {
        const create = (buffer?: SharedArrayBuffer) =>
          createLimiter({
            limits: [{ name: 'limit', rule: parseLimit(text) }],
            capacity: 500,
            seed: [9, 10],
            ...(buffer === undefined ? {} : { buffer }),
          })
        const limiter = create()
        const key = limiter.hash('somebody')
        let at = startMs
        for (const gap of list) {
          at += gap
          const { used, limit, remaining, retryAfterMs, resetsAtMs } = limiter.peek(0, key, at)
          expect([used + remaining, limit]).toEqual([limit, parseLimit(text).burst])
          expect(remaining > 0).toBe(retryAfterMs === 0)
          const later = create(copyOf(limiter.buffer))
          expect(create(copyOf(limiter.buffer)).peek(0, key, resetsAtMs).used).toBe(0)
          // Of leases it is a guess.
          const isAdmitted = later.takeOne(0, key, at + retryAfterMs) === 0
          expect(isAdmitted || text.endsWith('once')).toBe(true)
          expect(limiter.takeOne(0, key, at)).toBe(retryAfterMs)
          const standing = limiter.peek(0, key, at)
          expect(retryAfterMs === 0 ? limiter.peekTaken(0, at) : standing).toEqual(standing)
        }
      }),
      { numRuns: 100 },
    )
  })
})
