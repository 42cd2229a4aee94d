import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../std/index.ts'
import { parseLimit } from './parse.ts'
import { dimensionOf } from './dimension.ts'
import { bounds, faultOf, printLimit, type LimitRule } from './rule.ts'

const plain = { per: [], dryRun: false, resets: null, queue: null }
const rate = (count: number, periodMs: number, rest: Partial<LimitRule> = {}): LimitRule => ({
  kind: 'rate',
  count,
  periodMs,
  burst: count,
  ...plain,
  ...rest,
})

const midnight = { minuteOfDay: 0, dayOfWeek: null, dayOfMonth: null, zone: 'UTC' }
const calendar = (count: number, periodMs: number, rest: Partial<LimitRule>): LimitRule => ({
  ...rate(count, periodMs, rest),
  kind: 'calendar',
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
    { ...plain, kind: 'concurrency', count: 2, periodMs: 0, burst: 2, per: ['user'] },
    '2 at once per user',
  ],
  [
    '6 in any hour per channel',
    { ...plain, kind: 'window', count: 6, periodMs: 3_600_000, burst: 6, per: ['channel'] },
    '6 in any hour per channel',
  ],
  [
    '1000/day per route resets 00:00 Europe/Vienna',
    calendar(1000, 86_400_000, { per: ['route'], resets: { ...midnight, zone: 'Europe/Vienna' } }),
    '1000/day per route resets 00:00 Europe/Vienna',
  ],
  [
    '10000/week resets Mon 06:00',
    calendar(10_000, 604_800_000, { resets: { ...midnight, minuteOfDay: 360, dayOfWeek: 1 } }),
    '10000/week resets Mon 06:00 UTC',
  ],
  [
    '50,000/month resets 1st 0:00 utc per guild',
    calendar(50_000, 2_592_000_000, { per: ['guild'], resets: { ...midnight, dayOfMonth: 1 } }),
    '50000/month per guild resets 1 00:00 UTC',
  ],
  [
    'dry run 7/week resets sunday 23:59 AMERICA/new_york',
    calendar(7, 604_800_000, {
      dryRun: true,
      resets: { minuteOfDay: 1439, dayOfWeek: 7, dayOfMonth: null, zone: 'America/New_York' },
    }),
    'dry run 7/week resets Sun 23:59 America/New_York',
  ],
  [
    '30/min per Header X-Tenant and ip',
    rate(30, 60_000, { per: ['header:x-tenant', 'ip'] }),
    '30/min per header x-tenant and ip',
  ],
  [
    '30/MIN PER COOKIE Sid, Route',
    rate(30, 60_000, { per: ['cookie:Sid', 'route'] }),
    '30/min per cookie Sid and route',
  ],
  ['30/min per cookie:SID', rate(30, 60_000, { per: ['cookie:SID'] }), '30/min per cookie SID'],
  [
    '120/min queue 20 for 2s per ip burst 60',
    rate(120, 60_000, { per: ['ip'], burst: 60, queue: { places: 20, patienceMs: 2000 } }),
    '120/min per ip burst 60 queue 20 for 2s',
  ],
  [
    '120/min queue 10,000 for up to 1 min',
    rate(120, 60_000, { queue: { places: 10_000, patienceMs: 60_000 } }),
    '120/min queue 10000 for 1 min',
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
  ['50000/month per guild', /must say when it resets/, /mean "50000\/month per guild resets 1 00:00 UTC"/],
  ['10000/week resets 06:00', /resets on a weekday/, /mean "10000\/week resets Mon 06:00 UTC"/],
  ['5/month resets 06:00', /one of its days/, /mean "5\/month resets 1 06:00 UTC"/],
  ['5/month resets 31 06:00', /1 to 28/, /./],
  ['5/day resets Mon 06:00', /at a time alone/, /./],
  ['5/day resets 24:00', /00:00 to 23:59/, /./],
  ['5/day resets at midnight', /no time to reset/, /mean "5\/day resets 00:00 UTC"/],
  ['5/day resets 00:00 resets 01:00', /"resets" stands in it twice/, /./],
  ['5/week resets Caturday 00:00', /no day of the week/, /./],
  ['5/day resets 00:00 Europe/Wienna', /no name of a time zone/, /mean "Europe\/Vienna"/],
  ['5/day resets 00:00 vienna', /no name of a time zone/, /mean "Europe\/Vienna"/],
  ['5/day resets 00:00 +01:00', /no name of a time zone/, /Europe\/Vienna/],
  ['5/hour resets 00:00', /only a number per day, week or month/, /./],
  ['5 in any day resets 00:00', /only a number per/, /mean "5\/day resets 00:00 UTC"/],
  ['5/day burst 2 resets 00:00', /only a rate has a burst/, /./],
  ['5 at once queue 2 for 1s', /cannot queue/, /./],
  ['dry run 5/min queue 2 for 1s', /nobody has to queue/, /./],
  ['5/min queue 2', /write "queue 20 for 2s"/, /./],
  ['5/min queue 20000 for 1s', /1 to 10,000 places/, /./],
  ['5/min queue 20 for 2 min', /longer than 60 s/, /./],
  ['5/min per header', /name of the header is missing/, /./],
  ['5/min per cookie and ip', /name of the cookie is missing/, /./],
  ['5/min per header x tenant', /no name of a header/, /./],
  ['5/min per cookie PER', /"PER" is no name of a cookie/, /./],
  ['5/min per guild 7', /no name of something/, /./],
  ['5/min'.padEnd(500, ' x'), /too long/, /./],
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

  test.each(['$5/day', '5 EUR/month resets 1 00:00', '20 EUR/week', '€10 in any day'])(
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
  const name = fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,20}$/)
  const named = fc.oneof(
    name.map((each) => `cookie:${each}`),
    name.map((each) => `header:${each.toLowerCase()}`),
  )
  const queue = fc.record({
    places: fc.integer({ min: 1, max: bounds.queuePlaces }),
    patienceMs: fc.oneof(
      fc.integer({ min: 1, max: bounds.patienceMs }),
      fc.constantFrom(1, 1000, 2000, 60_000),
    ),
  })
  const common = {
    per: fc.uniqueArray(fc.oneof(dimension, named), { maxLength: bounds.dimensions }),
    dryRun: fc.boolean(),
    resets: fc.constant(null),
    queue: fc.option(queue, { freq: 2 }),
  }
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

  const zone = fc.constantFrom('UTC', 'Europe/Vienna', 'Australia/Lord_Howe', 'Etc/GMT+5', 'Asia/Katmandu')
  const calendars = fc
    .record({
      count: fc.integer({ min: 1, max: bounds.count }),
      periodMs: fc.constantFrom(86_400_000, 604_800_000, 2_592_000_000),
      ...common,
      resets: fc.record({
        minuteOfDay: fc.integer({ min: 0, max: 1439 }),
        dayOfWeek: fc.option(fc.integer({ min: 1, max: 7 })),
        dayOfMonth: fc.option(fc.integer({ min: 1, max: 28 })),
        zone,
      }),
    })
    .map((rule) => ({ ...rule, kind: 'calendar' as const, burst: rule.count }))

  test('is undone by parseLimit', () => {
    const rules: fc.Arbitrary<LimitRule> = fc.oneof(rates, windows, calendars, concurrencies)
    fc.assert(
      fc.property(
        rules.filter((rule) => faultOf(rule) === undefined),
        (rule) => {
          expect(parseLimit(printLimit(rule))).toEqual(rule)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('dimensionOf', () => {
  test('takes names of headers and cookies apart', () => {
    expect(dimensionOf('header:x-tenant')).toEqual({ name: 'header', argument: 'x-tenant' })
    expect(dimensionOf('cookie:Sid')).toEqual({ name: 'cookie', argument: 'Sid' })
    expect(dimensionOf('ip')).toEqual({ name: 'ip', argument: null })
  })
})
