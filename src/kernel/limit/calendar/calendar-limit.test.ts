import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit, type Limiter } from '../index.ts'
import { Calendar } from './calendar.ts'

const DAY_MS = 86_400_000
const NOON = Date.parse('2026-11-25T12:00Z')

function create(texts: readonly string[], capacity = 5000, buffer?: SharedArrayBuffer): Limiter {
  const limits = texts.map((text, index) => ({ name: `limit-${index}`, rule: parseLimit(text) }))
  return createLimiter({ limits, capacity, seed: [7, 8], ...(buffer === undefined ? {} : { buffer }) })
}

/** Counts by window, in a map. */
class Model {
  readonly counts = new Map<number, number>()
  readonly count: number
  readonly calendar: Calendar

  constructor(text: string) {
    const { count, resets } = parseLimit(text)
    if (resets === null) throw new Error('no calendar limit')
    this.count = count
    this.calendar = new Calendar(resets)
  }

  used(atMs: number): number {
    return this.counts.get(this.calendar.at(atMs).startMs) ?? 0
  }

  take(atMs: number, cost: number): boolean {
    const used = this.used(atMs)
    if (used + cost > this.count) return false
    this.counts.set(this.calendar.at(atMs).startMs, used + cost)
    return true
  }
}

const clauses = fc.constantFrom(
  '/day resets 00:00',
  '/day resets 02:30 Europe/Vienna',
  '/day resets 13:47 Asia/Katmandu',
  '/day resets 00:00 Australia/Lord_Howe',
  '/week resets Sun 02:30 Europe/Vienna',
  '/month resets 1 00:00 America/St_Johns',
  '/month resets 28 23:59',
)
const texts = fc.tuple(fc.integer({ min: 1, max: 30 }), clauses).map((parts) => parts.join(''))
const gaps = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 5_000_000 }),
  fc.integer({ min: 0, max: 40 * DAY_MS }),
  fc.integer({ min: 0, max: 600 * DAY_MS }),
)
const steps = fc.array(fc.record({ gap: gaps, cost: fc.integer({ min: 1, max: 12 }) }), { maxLength: 40 })
const starts = fc.integer({ min: Date.parse('2026-10-20'), max: Date.parse('2027-04-01') })

describe('a calendar limit', () => {
  test('admits exactly what a count for each window would', () => {
    fc.assert(
      fc.property(texts, starts, steps, (text, startMs, list) => {
        const limiter = create([text])
        const model = new Model(text)
        const { count } = model
        const key = limiter.hash('somebody')
        let at = startMs
        for (const { gap, cost } of list) {
          at += gap
          const before = limiter.peek(0, key, at)
          const { endMs } = model.calendar.at(at)
          const left = count - model.used(at)
          const retryAfterMs = left > 0 ? 0 : endMs - at
          expect(before).toEqual({
            used: count - left,
            limit: count,
            remaining: left,
            retryAfterMs,
            resetsAtMs: endMs,
          })
          const verdict = limiter.take([{ limit: 0, key, cost }], at)
          const admitted = model.take(at, cost)
          const says = admitted
            ? { remaining: count - model.used(at) }
            : { retryAfterMs: cost > count ? Infinity : endMs - at }
          expect(verdict).toMatchObject({ admitted, resetsAtMs: endMs, ...says })
        }
      }),
      { numRuns: 100 },
    )
  })

  test('a clock that is set back frees nobody, and locks nobody for more than two periods', () => {
    const jumps = fc.record({
      backMs: fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 300 * DAY_MS })),
      aheadMs: fc.integer({ min: 0, max: 2 * DAY_MS }),
    })
    fc.assert(
      fc.property(starts, jumps, (startMs, { backMs, aheadMs }) => {
        const limiter = create(['3/day resets 00:00 Europe/Vienna'])
        const calendar = new Calendar({
          minuteOfDay: 0,
          dayOfWeek: null,
          dayOfMonth: null,
          zone: 'Europe/Vienna',
        })
        const take = (at: number): number => limiter.takeText(0, 'a', at)
        expect([0, 0, 0].map((at) => take(startMs + at))).toEqual([0, 0, 0])
        const backAt = startMs - backMs
        expect(take(backAt)).toBeGreaterThan(0)
        const { endMs } = calendar.at(startMs)
        const again = backAt + aheadMs
        expect(again >= endMs || backMs > DAY_MS || take(again) > 0).toBe(true)
        expect(take(backAt + 2.2 * DAY_MS + DAY_MS)).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  test('an account of a window before the one that a set back clock shows is counted as it was', () => {
    const limiter = create(['3/day resets 00:00'])
    const midnight = Date.parse('2026-11-26T00:00Z')
    expect([0, 0, 0].map(() => limiter.takeText(0, 'a', midnight - 1000))).toEqual([0, 0, 0])
    expect(limiter.takeText(0, 'a', midnight)).toBe(0)
    expect(limiter.takeText(0, 'a', midnight - 500)).toBe(0)
    expect(limiter.takeText(0, 'a', midnight - 3_600_000)).toBe(0)
    expect(limiter.takeText(0, 'a', midnight - 3_600_000)).toBe(DAY_MS + 3_600_000)
    expect(limiter.takeText(0, 'a', midnight)).toBe(DAY_MS)
  })

  test('threads whose clocks differ by milliseconds never share out more than two windows at a reset', () => {
    const midnight = Date.parse('2026-11-26T00:00Z')
    const turns = fc.array(fc.record({ skewed: fc.boolean(), stepMs: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 60,
      maxLength: 60,
    })
    fc.assert(
      fc.property(turns, fc.integer({ min: 0, max: 20 }), (list, skewMs) => {
        const first = create(['8/day resets 00:00'])
        const second = create(['8/day resets 00:00'], 5000, first.buffer)
        let at = midnight - 40
        let [before, since] = [0, 0]
        for (const { skewed, stepMs } of list) {
          at += stepMs
          const nowMs = skewed ? at - skewMs : at
          const admitted = (skewed ? second : first).takeText(0, 'a', nowMs) === 0 ? 1 : 0
          // Once the account has seen the new window it stays there, whatever a slower clock says.
          if (since > 0 || nowMs >= midnight) since += admitted
          else before += admitted
        }
        expect(before).toBeLessThanOrEqual(8)
        expect(since).toBeLessThanOrEqual(8)
      }),
      { numRuns: 100 },
    )
  })

  test('is taken with others from all or from none', () => {
    const limiter = create(['3/day resets 00:00', '2 in any hour', '100/s'])
    const takes = [0, 1, 2].map((limit) => ({ limit, key: limiter.hash('a') }))
    expect([0, 1, 2].map((at) => limiter.take(takes, NOON + at).admitted)).toEqual([true, true, false])
    expect(limiter.peek(0, takes[0]?.key ?? 0, NOON + 2).used).toBe(2)
    const later = limiter.take(takes, NOON + 3_600_000)
    expect(later).toMatchObject({ admitted: true, remaining: 0, tightest: 0, resetsAtMs: NOON + DAY_MS / 2 })
    const last = limiter.take(takes, NOON + 7_200_000)
    expect(last).toMatchObject({ admitted: false, refusedBy: 0, retryAfterMs: DAY_MS / 2 - 7_200_000 })
  })

  test('counts to ten million, and a dry run reports', () => {
    const limiter = create(['10000000/month resets 1 00:00', 'dry run 2/day resets 00:00'])
    const key = limiter.hash('a')
    expect(limiter.take([{ limit: 0, key, cost: 9_999_999 }], NOON).remaining).toBe(1)
    expect(limiter.takeOne(0, key, NOON)).toBe(0)
    expect(limiter.takeOne(0, key, NOON)).toBe(Date.parse('2026-12-01') - NOON)
    expect(limiter.take([{ limit: 1, key, cost: 2 }], NOON).wouldRefuse).toEqual([])
    expect(limiter.take([{ limit: 1, key }], NOON)).toMatchObject({ admitted: true, wouldRefuse: [1] })
    expect(limiter.peek(1, key, NOON).used).toBe(2)
  })

  test('a new policy keeps the counts, with a queue or as a dry run too', () => {
    const limiter = create(['dry run 5/day resets 00:00'])
    const key = limiter.hash('a')
    limiter.take([{ limit: 0, key, cost: 4 }], NOON)
    const next = create(['5/day resets 00:00 queue 2 for 1s'], 5000, limiter.buffer)
    expect(next.peek(0, key, NOON).used).toBe(4)
  })

  test('a full table forgets whose window is over, and displaces the least used share', () => {
    const limiter = create(['10/day resets 00:00', '1/month resets 1 00:00'], 1)
    const flood = (count: number, at: number): void => {
      for (let index = 0; index < count; index++) limiter.takeText(0, `${at} ${index}`, at)
    }
    flood(300, NOON)
    expect(limiter.displaced()).toBeLessThan(30)
    const before = limiter.displaced()
    // After the reset all of them are idle, so the next day has the whole table again.
    flood(300, NOON + DAY_MS)
    expect(limiter.displaced() - before).toBeLessThan(30)
    limiter.take([{ limit: 0, key: limiter.hash('heavy'), cost: 9 }], NOON + DAY_MS)
    flood(3000, NOON + DAY_MS + 1)
    expect(limiter.peek(0, limiter.hash('heavy'), NOON + DAY_MS + 1).used).toBeGreaterThanOrEqual(9)
  })
})
