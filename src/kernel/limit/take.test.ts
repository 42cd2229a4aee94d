import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit, type Limiter, type NamedLimit } from './index.ts'

const named = (...texts: readonly string[]): readonly NamedLimit[] =>
  texts.map((text) => ({ name: `limit ${text.replace('dry run ', '')}`, rule: parseLimit(text) }))

const create = (
  texts: readonly string[],
  rest: { buffer?: SharedArrayBuffer; limitCapacity?: number } = {},
) => createLimiter({ limits: named(...texts), capacity: 1000, seed: [1, 2], ...rest })

describe('several limits on one request', () => {
  const texts = ['5/s', '20/min burst 8', '4 in any min', '3 at once', '2/s burst 1', '1000/s'] as const
  const steps = fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 100_000 })),
      takes: fc.array(
        fc.record({
          limit: fc.integer({ min: 0, max: texts.length - 1 }),
          key: fc.integer({ min: 0, max: 2 }),
          cost: fc.integer({ min: 1, max: 3 }),
        }),
        { maxLength: 16 },
      ),
    }),
    { maxLength: 40 },
  )
  const accounts = texts.flatMap((_, limit) => [0, 1, 2].map((key) => ({ limit, key })))
  const standing = (limiter: Limiter, at: number): readonly number[] =>
    accounts.map(({ limit, key }) => limiter.peek(limit, limiter.hash(`key ${key}`), at).used)

  test('are all taken from, or none', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const limiter = create(texts)
        let at = 1_760_000_000_000
        for (const { gap, takes } of list) {
          at += gap
          const wanted = takes.map(({ limit, key, cost }) => ({
            limit,
            cost,
            key: limiter.hash(`key ${key}`),
          }))
          const before = standing(limiter, at)
          const verdict = limiter.take(wanted, at)
          const charged = verdict.admitted ? wanted : []
          const expected = accounts.map(({ limit, key }, index) => {
            const hash = limiter.hash(`key ${key}`)
            const same = charged.filter((take) => take.limit === limit && take.key === hash)
            return (before[index] ?? 0) + same.reduce((sum, { cost }) => sum + cost, 0)
          })
          expect(standing(limiter, at)).toEqual(expected)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('are decided as one after another would be, on a copy', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const limiter = create(texts)
        let at = 1_760_000_000_000
        for (const { gap, takes } of list) {
          at += gap
          const wanted = takes.map(({ limit, key, cost }) => ({
            limit,
            cost,
            key: limiter.hash(`key ${key}`),
          }))
          const copy = new SharedArrayBuffer(limiter.buffer.byteLength)
          new Uint8Array(copy).set(new Uint8Array(limiter.buffer))
          const single = create(texts, { buffer: copy })
          const alone = wanted.map((take) => single.take([take], at))
          const verdict = limiter.take(wanted, at)
          expect(verdict.admitted).toBe(alone.every((each) => each.admitted))
          const least = Math.min(Infinity, ...alone.map((each) => each.remaining))
          expect(verdict.remaining).toBe(verdict.admitted ? least : verdict.remaining)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('report the limit with the longest wait, and the tightest when admitted', () => {
    const limiter = create(['1/s', '1/min', '100/min'])
    const takes = [0, 1, 2].map((limit) => ({ limit, key: limiter.hash('a') }))
    expect(limiter.take(takes, 0)).toMatchObject({ admitted: true, remaining: 0, tightest: 0 })
    expect(limiter.take(takes, 100)).toMatchObject({ admitted: false, refusedBy: 1, retryAfterMs: 59_900 })
    expect(limiter.peek(2, limiter.hash('a'), 100).used).toBe(1)
  })

  test('none at all admits, sixteen are the most, and nonsense is a mistake', () => {
    const limiter = create(['1/s'])
    const take = { limit: 0, key: limiter.hash('a') }
    expect(limiter.take([], 0)).toMatchObject({ admitted: true, remaining: Infinity, tightest: -1 })
    expect(() =>
      limiter.take(
        Array.from({ length: 17 }, () => take),
        0,
      ),
    ).toThrow(/at most 16/)
    expect(() => limiter.take([{ ...take, cost: -1 }], 0)).toThrow(/whole number/)
    expect(() => limiter.takeUnits({ ...take, cost: 0.5 }, 0)).toThrow(/whole number/)
    expect(() => limiter.take([{ ...take, cost: 1.5 }], 0)).toThrow(/whole number/)
    expect(() => limiter.take([{ ...take, limit: 1 }], 0)).toThrow(/no limit 1/)
    expect(() => limiter.takeOne(0, take.key, Number.NaN)).toThrow(/no time/)
    expect(() => limiter.takeOne(0, take.key, -1)).toThrow(/no time/)
    expect(limiter.takeOne(0, take.key, 5)).toBe(0)
  })
})

describe('a dry run', () => {
  test('never refuses, and says what it would have refused', () => {
    const limiter = create(['dry run 1/min', '3/min'])
    const takes = [0, 1].map((limit) => ({ limit, key: limiter.hash('a') }))
    const verdicts = [0, 0, 0, 0].map((at) => limiter.take(takes, at))
    expect(verdicts.map((verdict) => verdict.wouldRefuse)).toEqual([[], [0], [0], [0]])
    expect(verdicts.map((verdict) => verdict.admitted)).toEqual([true, true, true, false])
    expect(verdicts.map((verdict) => verdict.remaining)).toEqual([2, 1, 0, 0])
    expect(limiter.takeOne(0, limiter.hash('a'), 0)).toBe(0)
    expect(limiter.counters()).toEqual([
      { admitted: 1, refused: 0, wouldRefuse: 4 },
      { admitted: 3, refused: 1, wouldRefuse: 0 },
    ])
  })

  test('goes live with what it has counted', () => {
    const dry = create(['dry run 2/min'])
    const key = dry.hash('a')
    dry.takeOne(0, key, 0)
    dry.takeOne(0, key, 0)
    const live = create(['2/min'], { buffer: dry.buffer })
    expect(live.takeOne(0, key, 0)).toBe(30_000)
  })
})

describe('a new policy on the same buffer', () => {
  test('keeps the accounts and counters of limits that stay, and none of those that change', () => {
    const before = create(['2/min per ip', '1 in any hour', '1 at once', '7/min'])
    const key = before.hash('a')
    const takes = [0, 0, 1, 2, 3].map((limit) => ({ limit, key }))
    expect(before.take(takes, 0).admitted).toBe(true)
    const after = create(['8/min', '1 at once', '1 in any hour', '2/min per ip'], { buffer: before.buffer })
    before.close()
    expect([0, 1, 2, 3].map((limit) => after.peek(limit, key, 0).used)).toEqual([0, 1, 1, 2])
    expect([1, 2, 3].map((limit) => after.take([{ limit, key }], 0).admitted)).toEqual([false, false, false])
    expect(after.counters().map(({ admitted }) => admitted)).toEqual([0, 1, 1, 2])
  })

  test('does not mix up limits when numbers are given out anew, for old and new limiters alike', () => {
    const first = create(['1/min', '2/min'], { limitCapacity: 4 })
    const key = first.hash('a')
    first.take(
      [0, 1].map((limit) => ({ limit, key })),
      0,
    )
    let buffer = first.buffer
    for (let turn = 0; turn < 20; turn++) {
      const next = create([`${turn + 10}/min`, `${turn + 11}/hour`], { buffer })
      expect(next.peek(0, key, 0).used).toBe(turn === 0 ? 0 : next.peek(0, key, 0).used)
      expect(next.take([{ limit: 0, key, cost: turn + 10 }], 0).admitted).toBe(true)
      expect(next.takeOne(0, key, 0)).toBeGreaterThan(0)
      buffer = next.buffer
      next.close()
    }
    expect(first.take([{ limit: 1, key, cost: 2 }], 0).admitted).toBe(true)
    expect(first.takeOne(0, key, 0)).toBe(0)
    expect(first.takeOne(0, key, 0)).toBe(60_000)
    expect(() => create(['1/s', '2/s', '3/s', '4/s', '5/s'], { buffer })).toThrow(/room for 4/)
  })

  test('counts exactly, however many limiters share the buffer', () => {
    const first = create(['1000/min'])
    const all = [first, ...Array.from({ length: 20 }, () => create(['1000/min'], { buffer: first.buffer }))]
    for (const [index, limiter] of all.entries()) limiter.takeText(0, `key ${index}`, 0)
    for (const limiter of all) expect(limiter.counters()[0]?.admitted).toBe(all.length)
    for (const limiter of all) limiter.close()
    expect(create(['1000/min'], { buffer: first.buffer }).counters()[0]?.admitted).toBe(all.length)
  })
})

describe('attaching', () => {
  const { buffer } = create(['1/s'])
  const limits = named('1/s')

  test.each([
    ['another seed', { limits, capacity: 1000, seed: [1, 3] as const, buffer }],
    ['for one thread alone', { limits, capacity: 1000, seed: [1, 2] as const, buffer, alone: true }],
    ['another capacity', { limits, capacity: 2000, seed: [1, 2] as const, buffer }],
    ['not a table', { limits, capacity: 1000, seed: [1, 2] as const, buffer: new SharedArrayBuffer(4096) }],
    ['too small', { limits, capacity: 1000, seed: [1, 2] as const, buffer: new SharedArrayBuffer(8) }],
  ])('is refused: %s', (_, options) => {
    expect(() => createLimiter(options)).toThrow(expect.objectContaining({ code: 'limit.buffer-mismatch' }))
  })

  test('is refused for a rule that cannot be kept', () => {
    const rule = { ...parseLimit('5/min'), burst: 0 }
    expect(() => createLimiter({ limits: [{ name: 'odd', rule }], capacity: 10, seed: [1, 2] })).toThrow(
      expect.objectContaining({ code: 'limit.unreadable', message: expect.stringMatching(/odd/) as string }),
    )
  })
})

test('a key is the same as text and as bytes, and depends on the seed', () => {
  const [one, other] = [create(['1/s']), createLimiter({ limits: named('1/s'), capacity: 10, seed: [9, 9] })]
  expect(one.hashBytes(Buffer.from('10.0.0.1'))).toBe(one.hash('10.0.0.1'))
  expect(one.hash('10.0.0.1')).not.toBe(other.hash('10.0.0.1'))
  expect(Number.isSafeInteger(one.hash('10.0.0.1'))).toBe(true)
})
