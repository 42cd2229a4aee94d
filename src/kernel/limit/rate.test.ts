import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planFor, ticksPerMs } from './account.ts'
import { createLimiter, type LimitRule } from './index.ts'

const rule = (count: number, periodMs: number, burst = count): LimitRule => ({
  kind: 'rate',
  count,
  periodMs,
  burst,
  per: [],
  dryRun: false,
  resets: null,
  queue: null,
})

const limiterOf = (...rules: readonly LimitRule[]) => limiterFor(false, rules)
const limiterFor = (alone: boolean, rules: readonly LimitRule[]) =>
  createLimiter({
    alone,
    limits: rules.map((each, index) => ({ name: `limit-${index}`, rule: each })),
    capacity: 100,
    seed: [11, 22],
  })

/** GCRA in rational arithmetic: time is multiplied by `count`, so that a unit costs exactly `periodMs`. */
class Model {
  arrival = 0n
  readonly count: bigint
  readonly period: bigint
  readonly burst: bigint

  constructor({ count, periodMs, burst }: LimitRule) {
    this.count = BigInt(count)
    this.period = BigInt(periodMs)
    this.burst = BigInt(burst)
  }

  take(nowMs: number, cost: number): boolean {
    const now = BigInt(nowMs) * this.count
    const next = (this.arrival > now ? this.arrival : now) + BigInt(cost) * this.period
    if (next - now > this.burst * this.period) return false
    this.arrival = next
    return true
  }
}

interface Event {
  readonly gap: number
  readonly cost: number
}

/** Gaps from nothing to years, so that serial numbers wrap and buckets are tidied on the way. */
const gaps = fc.oneof(
  { arbitrary: fc.constant(0), weight: 4 },
  { arbitrary: fc.integer({ min: 0, max: 3000 }), weight: 8 },
  { arbitrary: fc.integer({ min: 0, max: 100_000 }), weight: 4 },
  { arbitrary: fc.integer({ min: 0, max: 10_000_000 }), weight: 2 },
  { arbitrary: fc.integer({ min: 0, max: 1_000_000_000 }), weight: 1 },
  { arbitrary: fc.integer({ min: 0, max: 100_000_000_000 }), weight: 1 },
)
const events = fc.array(fc.record({ gap: gaps, cost: fc.integer({ min: 1, max: 6 }) }), { maxLength: 120 })
const starts = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 2 ** 41 }),
  fc.constant(1_760_000_000_000),
)

const periods = fc.constantFrom(1, 7, 100, 1000, 10_000, 60_000, 3_600_000, 86_400_000, 604_800_000)
const rules = fc
  .record({
    count: fc.integer({ min: 1, max: 2000 }),
    periodMs: periods,
    burst: fc.integer({ min: 1, max: 30 }),
  })
  .map(({ count, periodMs, burst }) => rule(Math.min(count, periodMs * 1000), periodMs, burst))
const exactRules = rules.filter((each) => !planFor(each).isRounded)
const nearRules = fc
  .record({
    count: fc.constantFrom(1001, 9973, 99_991, 999_983),
    burst: fc.constantFrom(1, 10, 1000, 999_983),
  })
  .map(({ count, burst }) => rule(count, 86_400_000, burst))
  .filter((each) => planFor(each).isRounded)

/** Rules whose ticks do not divide grains. */
const odd = fc.constantFrom(
  rule(1, 604_800_000, 2),
  rule(7, 604_800_000, 13),
  rule(999, 604_800_000, 700),
  rule(1001, 86_400_000),
  rule(9973, 86_400_000, 50),
  rule(3, 366 * 86_400_000, 5),
)

interface Admitted {
  readonly at: number
  readonly cost: number
}

function play(each: LimitRule, startMs: number, list: readonly Event[]): readonly Admitted[] {
  const limiter = limiterOf(each)
  const key = limiter.hash('somebody')
  let at = startMs
  return list.flatMap(({ gap, cost }) => {
    at += gap
    return limiter.take([{ limit: 0, key, cost }], at).admitted ? [{ at, cost }] : []
  })
}

/** The first window with more than burst + rate x window, without rounding: all times are multiples of 1/1024 ms. */
function excessOf({ count, periodMs, burst }: LimitRule, admitted: readonly Admitted[]): string | undefined {
  const unit = (value: number): bigint => BigInt(Math.round(value * 1024))
  for (const [index, first] of admitted.entries()) {
    let units = 0
    for (const { at, cost } of admitted.slice(index)) {
      units += cost
      const allowed = unit(burst * periodMs) + BigInt(count) * (unit(at) - unit(first.at))
      if (unit(units * periodMs) > allowed) return `${units} units in ${at - first.at} ms`
    }
  }
  return undefined
}

describe('a rate', () => {
  test('decides as GCRA in rational arithmetic does', () => {
    fc.assert(
      fc.property(exactRules, starts, events, (each, startMs, list) => {
        const limiter = limiterOf(each)
        const model = new Model(each)
        const key = limiter.hash('somebody')
        let at = startMs
        for (const { gap, cost } of list) {
          at += gap
          expect(limiter.take([{ limit: 0, key, cost }], at).admitted).toBe(model.take(at, cost))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('decides the same by takeOne, takeText and take, alone or not', () => {
    fc.assert(
      fc.property(rules, starts, events, (each, startMs, list) => {
        const limiters = [limiterOf(each), limiterOf(each), limiterFor(true, [each])] as const
        const key = limiters[0].hash('somebody')
        let at = startMs
        for (const { gap } of list) {
          at += gap / 3
          const verdict = limiters[0].take([{ limit: 0, key }], at)
          expect(limiters[1].takeOne(0, key, at)).toBe(verdict.retryAfterMs)
          expect(limiters[2].takeText(0, 'somebody', at)).toBe(verdict.retryAfterMs)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('admits in any window at most burst + rate x window, whatever the fractions of time and rate', () => {
    const fractions = fc.array(
      fc.record({
        gap: fc.oneof(
          gaps,
          fc.integer({ max: 400_000, min: 0 }).map((n) => n / 1024),
        ),
        cost: fc.integer({ min: 1, max: 6 }),
      }),
      { maxLength: 120 },
    )
    fc.assert(
      fc.property(fc.oneof(rules, nearRules), starts, fractions, (each, startMs, list) => {
        expect(excessOf(each, play(each, startMs, list))).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('whoever asks again a moment before its debts are paid gets nothing a grain too early, by either way', () => {
    const rules = fc.constantFrom(rule(3, 1000, 3), rule(7, 1000, 2), rule(99, 1000, 2))
    const moments = fc.integer({ min: 0, max: 110 })
    const begins = fc.record({ startMs: starts, offset: moments })
    const steps = fc.array(fc.record({ units: fc.integer({ min: 1, max: 2 }), moment: moments }), {
      minLength: 4,
      maxLength: 12,
    })
    fc.assert(
      fc.property(rules, begins, steps, (each, { startMs, offset }, list) => {
        const unitMs = Math.round((1024 * each.periodMs) / each.count) / 1024
        const limiters = [limiterOf(each), limiterOf(each)] as const
        const key = limiters[0].hash('somebody')
        const admitted: [Admitted[], Admitted[]] = [[], []]
        let at = startMs + offset / 1024
        const ask = (): void => {
          if (limiters[0].takeOne(0, key, at) === 0) admitted[0].push({ at, cost: 1 })
          if (limiters[1].take([{ limit: 0, key }], at).admitted) admitted[1].push({ at, cost: 1 })
        }
        ask()
        for (const { units, moment } of list) {
          at += Math.max(0, units * unitMs - moment / 1024)
          for (let turn = 0; turn < 60; turn++, at += 1 / 1024) ask()
        }
        expect(admitted.map((each) => each.length)).toEqual([admitted[0].length, admitted[0].length])
        expect(admitted.map((taken) => excessOf(each, taken))).toEqual([undefined, undefined])
      }),
      { numRuns: 1000 },
    )
  })

  test('a client that asks without pause gets nothing a fraction of a millisecond too early', () => {
    const offsets = fc.integer({ min: 0, max: 1023 }).map((n) => n / 1024)
    const odd = fc.constantFrom(rule(1, 100), rule(3, 1000, 1), rule(7, 60_000, 2), rule(1001, 86_400_000, 1))
    fc.assert(
      fc.property(odd, starts, offsets, (each, startMs, offset) => {
        const limiter = limiterOf(each)
        const key = limiter.hash('somebody')
        const admitted: Admitted[] = []
        let at = startMs + offset
        for (let asked = 0; asked < 20_000 && admitted.length < 6; asked++) {
          const wait = limiter.takeOne(0, key, at)
          if (wait === 0) admitted.push({ at, cost: 1 })
          at += wait > 2 ? wait - 2 : 7 / 1024
        }
        expect(admitted).toHaveLength(6)
        expect(excessOf(each, admitted)).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test('admits again exactly when it said, and not a tick earlier', () => {
    fc.assert(
      fc.property(fc.oneof(rules, nearRules), starts, events, (each, startMs, list) => {
        const limiter = limiterOf(each)
        const key = limiter.hash('somebody')
        let at = startMs
        for (const { gap, cost } of list) {
          at += gap
          const { admitted, retryAfterMs } = limiter.take([{ limit: 0, key, cost }], at)
          if (admitted || cost > each.burst) continue
          expect(Number.isInteger(retryAfterMs)).toBe(true)
          // Where ticks do not divide grains, time is rounded to a grain at either end.
          const { isRounded, grainsPerMs } = planFor(each)
          const roundedMs = isRounded ? 2 * Math.ceil(1 / grainsPerMs) : 0
          const tooEarly = retryAfterMs - 1 - roundedMs
          const isTooEarly = tooEarly > 0 && limiter.take([{ limit: 0, key, cost }], at + tooEarly).admitted
          expect(isTooEarly).toBe(false)
          at += retryAfterMs
          expect(limiter.take([{ limit: 0, key, cost }], at).admitted).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('gives the whole burst at one instant, and then a unit in its time', () => {
    const few = nearRules.filter(({ burst }) => burst <= 1000)
    const instants = fc.oneof(starts, fc.double({ min: 0, max: 2 ** 41, noNaN: true }))
    fc.assert(
      fc.property(fc.oneof(odd, few), instants, (each, at) => {
        const [one, all] = [limiterOf(each), limiterOf(each)]
        const key = one.hash('somebody')
        for (let unit = 0; unit < each.burst; unit++) expect(one.takeOne(0, key, at)).toBe(0)
        expect(all.take([{ limit: 0, key, cost: each.burst }], at).admitted).toBe(true)
        const unitMs = each.periodMs / each.count
        const roundedMs = 8 / ticksPerMs(planFor(each))
        for (const limiter of [one, all]) {
          expect(limiter.takeOne(0, key, at)).toBeGreaterThanOrEqual(Math.floor(unitMs))
          expect(limiter.takeOne(0, key, at + unitMs * (1 - 1e-9))).toBeGreaterThan(0)
          expect(limiter.takeOne(0, key, at + unitMs + roundedMs)).toBe(0)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('gives the whole burst at one instant of whole milliseconds, whatever the rule', () => {
    const ordinary = fc.oneof(rules, odd).filter((each) => planFor(each).slackTicks === 0)
    fc.assert(
      fc.property(ordinary, starts, (each, at) => {
        const limiter = limiterOf(each)
        const key = limiter.hash('somebody')
        for (let unit = 0; unit < each.burst; unit++) expect(limiter.takeOne(0, key, at)).toBe(0)
        expect(limiter.takeOne(0, key, at)).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })

  test('is as fast as it says, to a millionth, also where ticks do not divide grains', () => {
    const each = rule(1001, 86_400_000, 2)
    const limiter = limiterOf(each)
    const key = limiter.hash('somebody')
    let at = 1_760_000_000_000
    for (let unit = 0; unit < 10_010 + 2; unit++) {
      const wait = limiter.takeOne(0, key, at)
      at += wait
      expect(wait === 0 ? 0 : limiter.takeOne(0, key, at)).toBe(0)
    }
    const takenMs = at - 1_760_000_000_000
    expect(takenMs).toBeGreaterThanOrEqual(864_000_000)
    // Each wait is rounded up to a whole millisecond once, at the end.
    expect(takenMs).toBeLessThan(864_000_000 * 1.000_001 + 2)
  })

  test('never drifts: a patient client gets exactly burst + rate x time', () => {
    const limiter = limiterOf(rule(7, 60_000, 3), rule(1001, 86_400_000, 1))
    const [sevens, odd] = [limiter.hash('a'), limiter.hash('b')]
    let taken = 0
    for (let at = 0; at <= 60_000_000; at += 100) if (limiter.takeOne(0, sevens, at) === 0) taken++
    expect(taken).toBe(3 + 7 * 1000)
    taken = 0
    for (let at = 0; at <= 10 * 86_400_000; at += 10_000) if (limiter.takeOne(1, odd, at) === 0) taken++
    expect(taken).toBeGreaterThan(10_010 - 1200)
    expect(taken).toBeLessThanOrEqual(10_011)
  })

  test('a cost beyond the burst is refused for ever, and changes nothing', () => {
    const limiter = limiterOf(rule(5, 1000))
    const key = limiter.hash('a')
    expect(limiter.take([{ limit: 0, key, cost: 6 }], 1000)).toMatchObject({
      admitted: false,
      retryAfterMs: Infinity,
    })
    expect(limiter.take([{ limit: 0, key, cost: 5 }], 1000)).toMatchObject({ admitted: true, remaining: 0 })
  })
})

describe('around the wrap of serial numbers', () => {
  const cases = [
    rule(1, 604_800_000),
    rule(2, 604_800_000),
    rule(1000, 1000),
    rule(999_983, 1000, 10),
    rule(1, 366 * 86_400_000),
  ]

  test.each(cases)('an idle key is idle, however long: $count/$periodMs', (each) => {
    const wrapMs = 2 ** 32 / ticksPerMs(planFor(each))
    const start = 1_760_000_000_000
    const turns = [0.25, 0.4999, 0.5, 0.5001, 0.75, 0.9999, 1, 1.0001, 1.5, 2, 3.9999]
    for (const [index, turn] of turns.flatMap((turn) => [turn, turn]).entries()) {
      const limiter = limiterOf(each, rule(1000, 1000))
      const key = limiter.hash('a')
      expect(limiter.take([{ limit: 0, key, cost: each.burst }], start).admitted).toBe(true)
      const refillMs = each.periodMs * (each.burst / each.count) + 1 + 4 / ticksPerMs(planFor(each))
      const idleMs = Math.max(Math.ceil(turn * wrapMs), refillMs)
      // Traffic of others in between must not let the entry's age be forgotten.
      const looks = index % 2 === 0 ? 0 : 20
      for (let step = 1; step < looks; step++) touchAll(limiter, start + (idleMs * step) / looks)
      expect(limiter.take([{ limit: 0, key, cost: each.burst }], start + idleMs).admitted).toBe(true)
    }
  })

  test.each(cases)('a loaded key is loaded until the last moment: $count/$periodMs', (each) => {
    const limiter = limiterOf(each, rule(1000, 1000))
    const key = limiter.hash('a')
    const start = 1_760_000_000_000
    expect(limiter.take([{ limit: 0, key, cost: each.burst }], start).admitted).toBe(true)
    const fullMs = (each.burst * each.periodMs) / each.count
    for (let step = 1; step < 40; step++) {
      const at = start + Math.floor((fullMs * step) / 40)
      touchAll(limiter, at)
      expect(limiter.take([{ limit: 0, key, cost: each.burst }], at).admitted).toBe(at >= start + fullMs)
    }
  })

  function touchAll(limiter: ReturnType<typeof limiterOf>, nowMs: number): void {
    for (let index = 0; index < 60; index++) limiter.takeText(1, `neighbour ${index}`, Math.floor(nowMs))
  }
})

describe('a clock that is set back', () => {
  const backs = [500, 5000, 60_000, 3_600_000, 86_400_000, 315_360_000_000]

  test.each(backs)('by %i ms frees nobody and locks nobody for longer than a refill', (back) => {
    const limiter = limiterOf(rule(60, 60_000, 10))
    const start = 1_760_000_000_000
    const [full, fresh] = [limiter.hash('full'), limiter.hash('fresh')]
    expect(limiter.take([{ limit: 0, key: full, cost: 10 }], start).admitted).toBe(true)
    limiter.takeOne(0, fresh, start)
    expect(limiter.takeOne(0, full, start - back)).toBeGreaterThan(0)
    expect(limiter.takeOne(0, full, start - back)).toBeLessThanOrEqual(1000)
    expect(limiter.takeOne(0, fresh, start - back)).toBe(0)
    expect(limiter.takeOne(0, full, start - back + 1001)).toBe(0)
    expect(limiter.take([{ limit: 0, key: fresh, cost: 10 }], start - back + 10_001).admitted).toBe(true)
  })
})
