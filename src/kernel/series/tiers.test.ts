import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { horizon, hours, minutes, planOf, seconds, tiers } from './tiers.ts'

const now = Date.UTC(2026, 5, 1, 12, 34, 56, 789)
const hourMs = 3_600_000
const plan = (spanMs: number, maxPoints: number, endsAgoMs = 0) =>
  planOf({ name: 'x', from: now - endsAgoMs - spanMs, to: now - endsAgoMs, maxPoints }, 1, now)

const nothing = { tier: seconds, stepMs: 0, from: 0, to: 0 }

describe('the step of an answer', () => {
  test('is the finest readable one that fits and is still kept', () => {
    expect(plan(60_000, 200)).toMatchObject({ tier: seconds, stepMs: 1000 })
    expect(plan(hourMs, 200)).toMatchObject({ tier: seconds, stepMs: 20_000 })
    expect(plan(hourMs, 2000)).toMatchObject({ tier: seconds, stepMs: 2000 })
    expect(plan(24 * hourMs, 200)).toMatchObject({ tier: minutes, stepMs: 600_000 })
    expect(plan(7 * 24 * hourMs, 200)).toMatchObject({ tier: hours, stepMs: hourMs })
    expect(plan(400 * 24 * hourMs, 200)).toMatchObject({ tier: hours, stepMs: 5 * 24 * hourMs })
  })

  test('is coarser for what is long gone', () => {
    expect(plan(60_000, 200, 2 * hourMs)).toMatchObject({ tier: minutes, stepMs: 60_000 })
    expect(plan(60_000, 200, 8 * 24 * hourMs)).toMatchObject({ tier: hours, stepMs: hourMs })
  })

  test('is coarser when there are many series', () => {
    const query = { name: 'x', from: now - hourMs, to: now, maxPoints: 2000 }
    expect(planOf(query, 2000, now)).toMatchObject({ stepMs: 120_000 })
  })

  test('does not exist for an empty or senseless span', () => {
    expect(plan(0, 200)).toBeUndefined()
    expect(plan(-1, 200)).toBeUndefined()
    expect(plan(Number.NaN, 200)).toBeUndefined()
    expect(plan(1000, 200, 500 * 24 * hourMs)).toBeUndefined()
  })

  test('always covers the span, within the points, on multiples of the step', () => {
    const span = fc.integer({ min: 1, max: 500 * 24 * hourMs })
    const ago = fc.integer({ min: 0, max: hours.keepMs })
    fc.assert(
      fc.property(span, ago, fc.integer({ min: 10, max: 2000 }), (spanMs, endsAgoMs, maxPoints) => {
        const { tier, stepMs, from, to } = plan(spanMs, maxPoints, endsAgoMs) ?? nothing
        expect((to - from) / stepMs).toBeLessThanOrEqual(maxPoints)
        expect([from % stepMs, to % stepMs, stepMs % tier.stepMs]).toEqual([0, 0, 0])
        expect(from).toBeLessThanOrEqual(Math.max(now - endsAgoMs - spanMs, horizon(hours, now)))
        expect(to).toBeGreaterThanOrEqual(now - endsAgoMs)
      }),
      { numRuns: 1000 },
    )
  })

  test('the horizon leaves at least what is promised', () => {
    for (const tier of tiers) expect(horizon(tier, now)).toBeLessThanOrEqual(now - tier.keepMs)
  })
})
