import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../std/index.ts'
import { parseLimit } from './parse.ts'
import { bounds, faultOf, printLimit, type LimitRule } from './rule.ts'

const plain = { per: [], dryRun: false }
const rate = (count: number, periodMs: number, rest: Partial<LimitRule> = {}): LimitRule => ({
  kind: 'rate',
  count,
  periodMs,
  burst: count,
  ...plain,
  ...rest,
})

const readable: readonly (readonly [string, LimitRule, string])[] = [
  ['120/min per ip burst 60', rate(120, 60_000, { per: ['ip'], burst: 60 }), '120/min per ip burst 60'],
  ['120/min burst 60 per ip', rate(120, 60_000, { per: ['ip'], burst: 60 }), '120/min per ip burst 60'],
  ['20/hour per user', rate(20, 3_600_000, { per: ['user'] }), '20/hour per user'],
  ['5/10s per user', rate(5, 10_000, { per: ['user'] }), '5/10s per user'],
  [' 5 / 10 sec  PER User ', rate(5, 10_000, { per: ['user'] }), '5/10s per user'],
  ['300/min', rate(300, 60_000), '300/min'],
  ['300/m', rate(300, 60_000), '300/min'],
  ['1,000/day', rate(1000, 86_400_000), '1000/day'],
  ['1000000/s', rate(1_000_000, 1000), '1000000/s'],
  ['7/0.5s', rate(7, 500), '7/500ms'],
  ['5/2 weeks', rate(5, 1_209_600_000), '5/2 weeks'],
  ['5/7d', rate(5, 604_800_000), '5/week'],
  ['10/5 minutes', rate(10, 300_000), '10/5 min'],
  ['100/s per ip and route', rate(100, 1000, { per: ['ip', 'route'] }), '100/s per ip and route'],
  ['100/s per ip, route', rate(100, 1000, { per: ['ip', 'route'] }), '100/s per ip and route'],
  ['dry run 30/min per ip', rate(30, 60_000, { per: ['ip'], dryRun: true }), 'dry run 30/min per ip'],
  [
    '2 at once per user',
    { kind: 'concurrency', count: 2, periodMs: 0, burst: 2, per: ['user'], dryRun: false },
    '2 at once per user',
  ],
  [
    '6 in any hour per channel',
    { kind: 'window', count: 6, periodMs: 3_600_000, burst: 6, per: ['channel'], dryRun: false },
    '6 in any hour per channel',
  ],
]

const refused: readonly (readonly [string, RegExp, RegExp])[] = [
  ['', /no number and no period/, /120\/min per ip/],
  ['120', /lacks a period/, /mean "120\/min"/],
  ['fast', /neither a rate/, /120\/min per ip/],
  ['0/min', /from 1 on, not 0/, /./],
  ['-3/min', /from 1 on, not -3/, /./],
  ['1.5/s', /whole number from 1 on, not 1\.5/, /./],
  ['x/min', /"x" is no number/, /./],
  ['5/fortnight', /"fortnight" is no period/, /./],
  ['5/0s', /at least 1 ms/, /./],
  ['5/400 days', /longer than 366 days/, /./],
  ['1000001/s', /1,000,000 per second/, /./],
  ['99999999/day', /more than the 10,000,000/, /./],
  ['5/min burst 0', /nothing would ever pass/, /./],
  ['5/min burst', /the burst "" is no number/, /./],
  ['5/min burst 2 burst 3', /"burst" stands in it twice/, /./],
  ['2 at once burst 5', /only a rate has a burst/, /./],
  ['1001 in any day', /use a rate/, /./],
  ['1024 at once', /1,023/, /./],
  ['5/min per', /nothing follows "per"/, /./],
  ['5/min per ip per user', /"per" stands in it twice/, /./],
  ['5/min per ip and ip', /twice/, /./],
  ['5/min per a and b and c and d and e', /at most 4/, /./],
  ['5/min per ip!', /"ip!" is no name/, /./],
  ['5 per minute per ip', /./, /mean "5\/min per ip"/],
  ['10r/s', /./, /mean "10\/s"/],
  ['100 requests per minute', /./, /mean "100\/min"/],
  ['5/min/ip', /more than one/, /mean "5\/min per ip"/],
  ['3 in 10 min per user', /./, /mean "3 in any 10 min per user"/],
  ['2 in parallel per user', /./, /mean "2 at once per user"/],
  ['5/min'.padEnd(300, ' x'), /too long/, /./],
]

function failureOf(text: string): unknown {
  try {
    parseLimit(text)
    return undefined
  } catch (error) {
    return error
  }
}

function errorOf(text: string): HoldfastError {
  const error = failureOf(text)
  if (error instanceof HoldfastError) return error
  throw new Error(`"${text}" was read`)
}

describe('parseLimit', () => {
  test.each(readable)('reads %s', (text, rule, printed) => {
    expect(parseLimit(text)).toEqual(rule)
    expect(printLimit(rule)).toBe(printed)
  })

  test.each(refused)('refuses "%s"', (text, says, hints) => {
    const error = errorOf(text)
    expect(error).toMatchObject({ code: 'limit.unreadable', kind: 'user' })
    expect(error.message).toMatch(says)
    expect(error.hint).toMatch(hints)
  })

  test.each(['1000/day per route resets 00:00 Europe/Vienna', '$5/day', '20 EUR/week', '€10 in any day'])(
    'says that "%s" is not there yet',
    (text) => expect(errorOf(text)).toMatchObject({ code: 'limit.unsupported', kind: 'user' }),
  )

  test('never throws anything but a HoldfastError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        expect(failureOf(text)).toSatisfy((error) => error === undefined || error instanceof HoldfastError)
      }),
    )
  })
})

describe('printLimit', () => {
  const dimension = fc.constantFrom('ip', 'user', 'route', 'channel', 'api-key', 'caller', 'and-so-on')
  const common = { per: fc.uniqueArray(dimension, { maxLength: bounds.dimensions }), dryRun: fc.boolean() }
  const period = fc.oneof(
    fc.integer({ min: 1, max: bounds.periodMs }),
    fc.constantFrom(1, 999, 1000, 60_000, 90_000, 3_600_000, 86_400_000, 604_800_000, 1_209_600_000),
  )
  const rates = fc.record({
    kind: fc.constant('rate' as const),
    count: fc.integer({ min: 1, max: bounds.count }),
    periodMs: period,
    burst: fc.integer({ min: 1, max: bounds.burst }),
    ...common,
  })
  const windows = fc
    .record({ count: fc.integer({ min: 1, max: bounds.windowCount }), periodMs: period, ...common })
    .map((rule) => ({ ...rule, kind: 'window' as const, burst: rule.count }))
  const concurrencies = fc
    .record({ count: fc.integer({ min: 1, max: bounds.concurrencyCount }), ...common })
    .map((rule) => ({ ...rule, kind: 'concurrency' as const, periodMs: 0, burst: rule.count }))

  test('is undone by parseLimit', () => {
    const rules: fc.Arbitrary<LimitRule> = fc.oneof(rates, windows, concurrencies)
    fc.assert(
      fc.property(
        rules.filter((rule) => faultOf(rule) === undefined),
        (rule) => {
          expect(parseLimit(printLimit(rule))).toEqual(rule)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
