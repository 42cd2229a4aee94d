import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Calendar } from '../calendar/calendar.ts'
import { createLimiter, parseLimit, type Limiter, type LimitRule } from '../index.ts'

const create = (...texts: readonly string[]): Limiter =>
  createLimiter({
    limits: texts.map((text, index) => ({ name: `limit-${index}`, rule: parseLimit(text) })),
    capacity: 5000,
    seed: [3, 4],
  })

/** What was admitted and has not been given back. */
interface Admitted {
  readonly at: number
  readonly cost: number
}

const gaps = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 2000 }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 40_000_000 }),
)
const steps = fc.array(
  fc.record({
    gap: gaps,
    cost: fc.integer({ min: 1, max: 6 }),
    /** Which of those admitted is given back then, counted from the newest; -1: none. */
    back: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 8 })),
  }),
  { maxLength: 80 },
)
const starts = fc.integer({ min: Date.parse('2026-10-24'), max: Date.parse('2026-10-26') })

type Step = typeof steps extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never

/** Plays takes and refunds; answers with what was admitted and stayed. `watch` sees each decision. */
function play(
  limiter: Limiter,
  plan: { readonly startMs: number; readonly list: readonly Step[]; readonly scaleMs: number },
  watch: (kept: readonly Admitted[], at: number, decision: { cost: number; admitted: boolean }) => void,
): readonly Admitted[] {
  const key = limiter.hash('somebody')
  const kept: Admitted[] = []
  let at = plan.startMs
  for (const { gap, cost, back } of plan.list) {
    at += gap * plan.scaleMs
    const given = back < 0 ? [] : kept.splice(kept.length - 1 - back, kept.length > back ? 1 : 0)
    for (const each of given) limiter.refund([{ limit: 0, key, cost: each.cost }], each.at, at)
    const { admitted } = limiter.take([{ limit: 0, key, cost }], at)
    watch(kept, at, { cost, admitted })
    if (admitted) kept.push({ at, cost })
  }
  return kept
}

const ignore = (): void => undefined
const sum = (list: readonly Admitted[]): number => list.reduce((units, { cost }) => units + cost, 0)

/** Whether what stayed is more than burst + rate x window anywhere; times are multiples of 1/8 ms. */
function isExcess({ count, periodMs, burst }: LimitRule, kept: readonly Admitted[]): boolean {
  return kept.some(({ at: first }, index) =>
    kept.slice(index).some(({ at }, length) => {
      const units = sum(kept.slice(index, index + length + 1))
      const allowed = BigInt(burst * periodMs * 8) + BigInt(count) * BigInt((at - first) * 8)
      return BigInt(units * periodMs * 8) > allowed
    }),
  )
}

describe('a refund', () => {
  const texts = fc.constantFrom(
    '60/min burst 10',
    '7/min',
    '1000/s',
    '10 in any hour',
    '300 in any 10 min',
    '20/day resets 02:30 Europe/Vienna',
    '12 at once',
  )

  test('at once leaves the account as it was', () => {
    fc.assert(
      fc.property(texts, starts, steps, (text, startMs, list) => {
        const [with_, without] = [create(text), create(text)]
        const key = with_.hash('somebody')
        let at = startMs
        for (const { gap, cost, back } of list) {
          at += gap
          const tried = { limit: 0, key, cost: back + 1 }
          if (with_.take([tried], at).admitted) with_.refund([tried], at, at)
          expect(with_.peek(0, key, at)).toEqual(without.peek(0, key, at))
          const take = [{ limit: 0, key, cost }]
          expect(with_.take(take, at)).toEqual(without.take(take, at))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('of a rate never makes more possible than its promise', () => {
    const rates = fc.constantFrom(
      '60/min burst 3',
      '7/min burst 9',
      '1000/s burst 6',
      '1001/day',
      '999983/day',
    )
    fc.assert(
      fc.property(rates, starts, steps, (text, startMs, list) => {
        const scaleMs = text.includes('/s') ? 1 / 8 : 1
        const kept = play(create(text), { startMs, list, scaleMs }, ignore)
        expect(isExcess(parseLimit(text), kept)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('of a window makes the exact list forget', () => {
    const windows = fc.constantFrom('5 in any 10s', '12 in any min', '50 in any hour')
    fc.assert(
      fc.property(windows, starts, steps, (text, startMs, list) => {
        const { count, periodMs } = parseLimit(text)
        play(create(text), { startMs, list, scaleMs: 1 }, (kept, at, { cost, admitted }) => {
          const used = sum(kept.filter((each) => at - each.at < periodMs))
          expect(admitted).toBe(used + cost <= count)
        })
      }),
      { numRuns: 150 },
    )
  })

  test('of a calendar limit counts until the reset', () => {
    fc.assert(
      fc.property(starts, steps, (startMs, list) => {
        const { count, resets } = parseLimit('20/day resets 02:30 Europe/Vienna')
        const calendar = new Calendar(
          resets ?? { minuteOfDay: 0, dayOfWeek: null, dayOfMonth: null, zone: '' },
        )
        const limiter = create('20/day resets 02:30 Europe/Vienna')
        play(limiter, { startMs, list, scaleMs: 1 }, (kept, at, { cost, admitted }) => {
          const { startMs: resetMs } = calendar.at(at)
          expect(admitted).toBe(sum(kept.filter((each) => each.at >= resetMs)) + cost <= count)
        })
      }),
      { numRuns: 100 },
    )
  })

  test('gives back to every limit of a request, and lets those behind move up', () => {
    const limiter = create('2 at once', '3 in any hour', '5/day resets 00:00', '4/hour')
    const takes = [0, 1, 2, 3].map((limit) => ({ limit, key: limiter.hash('a') }))
    const used = (): readonly number[] => takes.map(({ limit, key }) => limiter.peek(limit, key, 2000).used)
    limiter.take(takes, 1000)
    limiter.take(takes, 2000)
    expect(used()).toEqual([2, 2, 2, 2])
    limiter.refund(takes, 1000, 2000)
    expect(used()).toEqual([1, 1, 1, 1])
    expect(limiter.peek(1, takes[1]?.key ?? 0, 3_601_500).used).toBe(1)
    expect(limiter.peek(1, takes[1]?.key ?? 0, 3_602_000).used).toBe(0)
  })

  test('of what was not taken, or long ago, changes nothing', () => {
    const limiter = create('3 in any hour', '5/day resets 00:00', '60/min')
    const takes = [0, 1, 2].map((limit) => ({ limit, key: limiter.hash('a') }))
    const noon = Date.parse('2026-11-25T12:00Z')
    limiter.refund(takes, noon, noon)
    limiter.take(takes, noon)
    limiter.refund([takes[0] ?? { limit: 0, key: 0 }], noon - 1, noon)
    limiter.refund(takes, noon - 86_400_000, noon)
    expect(takes.map(({ limit, key }) => limiter.peek(limit, key, noon).used)).toEqual([1, 1, 1])
  })
})

describe('units', () => {
  test('are taken from one limit as by take, and none at all when the cost is 0', () => {
    const texts = fc.constantFrom(
      '60/min burst 10',
      '10 in any hour',
      '9/day resets 00:00',
      '8 at once',
      'dry run 5/s',
    )
    fc.assert(
      fc.property(texts, starts, steps, (text, startMs, list) => {
        const [one, other] = [create(text), create(text)]
        const key = one.hash('somebody')
        let at = startMs
        for (const { gap, cost, back } of list) {
          at += gap / 4
          const take = { limit: 0, key, cost: cost * (back + 1) }
          expect(one.takeUnits(take, at)).toBe(other.take([take], at).retryAfterMs)
          expect(one.peek(0, key, at)).toEqual(other.peek(0, key, at))
          expect(one.counters()).toEqual(other.counters())
        }
      }),
      { numRuns: 150 },
    )
  })

  test('that cost nothing are admitted even where nothing is left, and not counted', () => {
    const limiter = create('1/hour', '1 in any hour')
    const takes = [0, 1].map((limit) => ({ limit, key: limiter.hash('a') }))
    limiter.take(takes, 0)
    expect(
      limiter.take(
        takes.map((take) => ({ ...take, cost: 0 })),
        0,
      ),
    ).toMatchObject({
      admitted: true,
      tightest: -1,
      resetsAtMs: 0,
    })
    expect(limiter.counters().map(({ admitted, refused }) => admitted + refused)).toEqual([1, 1])
  })
})
