import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLimit } from '../notation/parse.ts'
import { Calendar } from './calendar.ts'
import { ZoneClock } from './zone-clock.ts'

function calendarOf(text: string): Calendar {
  const { resets } = parseLimit(text)
  if (resets === null) throw new Error(`${text} does not reset`)
  return new Calendar(resets)
}

function windowAt(text: string, time: string): readonly string[] {
  const { startMs, endMs } = calendarOf(text).at(Date.parse(time))
  return [startMs, endMs].map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, 'Z'))
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describe('a calendar', () => {
  test.each([
    ['1/day resets 00:00', '2026-11-25T12:00Z', '2026-11-25T00:00Z', '2026-11-26T00:00Z'],
    ['1/day resets 00:00', '2026-11-25T00:00Z', '2026-11-25T00:00Z', '2026-11-26T00:00Z'],
    ['1/day resets 06:30', '2026-11-25T06:29Z', '2026-11-24T06:30Z', '2026-11-25T06:30Z'],
    ['1/day resets 00:00 Europe/Vienna', '2026-11-25T22:59Z', '2026-11-24T23:00Z', '2026-11-25T23:00Z'],
    ['1/week resets Mon 06:00', '2026-11-25T12:00Z', '2026-11-23T06:00Z', '2026-11-30T06:00Z'],
    ['1/week resets Mon 06:00', '2026-11-23T05:59Z', '2026-11-16T06:00Z', '2026-11-23T06:00Z'],
    ['1/week resets Sun 00:00', '2026-11-22T00:00Z', '2026-11-22T00:00Z', '2026-11-29T00:00Z'],
    ['1/month resets 1 00:00', '2026-02-03T00:00Z', '2026-02-01T00:00Z', '2026-03-01T00:00Z'],
    ['1/month resets 28 12:00', '2024-02-28T11:59Z', '2024-01-28T12:00Z', '2024-02-28T12:00Z'],
    [
      '1/month resets 1 00:00 Pacific/Auckland',
      '2026-12-31T11:00Z',
      '2026-12-31T11:00Z',
      '2027-01-31T11:00Z',
    ],
    // Clocks go back: the day has 25 hours.
    ['1/day resets 00:00 Europe/Vienna', '2026-10-25T12:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    // 02:30 is shown twice: the first time counts.
    ['1/day resets 02:30 Europe/Vienna', '2026-10-25T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    ['1/day resets 02:30 Europe/Vienna', '2026-10-25T01:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    // Clocks go ahead: the day has 23 hours.
    ['1/day resets 00:00 Europe/Vienna', '2027-03-28T12:00Z', '2027-03-27T23:00Z', '2027-03-28T22:00Z'],
    // 02:30 is skipped: the instant of the skip counts.
    ['1/day resets 02:30 Europe/Vienna', '2027-03-28T00:59Z', '2027-03-27T01:30Z', '2027-03-28T01:00Z'],
    ['1/day resets 02:30 Europe/Vienna', '2027-03-28T01:00Z', '2027-03-28T01:00Z', '2027-03-29T00:30Z'],
    ['1/week resets Sun 02:30 Europe/Vienna', '2027-03-28T01:00Z', '2027-03-28T01:00Z', '2027-04-04T00:30Z'],
    // Half an hour more than whole ones, and clocks that change by half an hour.
    ['1/day resets 00:00 Asia/Calcutta', '2026-11-25T18:30Z', '2026-11-25T18:30Z', '2026-11-26T18:30Z'],
    ['1/day resets 00:00 Australia/Lord_Howe', '2026-10-03T20:00Z', '2026-10-03T13:30Z', '2026-10-04T13:00Z'],
    ['1/day resets 02:15 Australia/Lord_Howe', '2026-10-03T15:30Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'],
    // Clocks that skip midnight, and a whole day that never was.
    ['1/day resets 00:00 Africa/Cairo', '2026-04-24T05:00Z', '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
    ['1/day resets 00:00 Pacific/Apia', '2011-12-30T09:00Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
    ['1/day resets 00:00 Pacific/Apia', '2011-12-30T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
  ])('%s at %s: %s to %s', (text, time, ...window) => {
    expect(windowAt(text, time)).toEqual(window)
  })

  const zones = fc.constantFrom(
    'UTC',
    'Europe/Vienna',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/Sao_Paulo',
    'Asia/Katmandu',
  )
  const days = fc.oneof(
    fc.constant({ dayOfWeek: null, dayOfMonth: null }),
    fc.record({ dayOfWeek: fc.integer({ min: 1, max: 7 }), dayOfMonth: fc.constant(null) }),
    fc.record({ dayOfWeek: fc.constant(null), dayOfMonth: fc.integer({ min: 1, max: 28 }) }),
  )
  const minutes = fc.oneof(
    fc.integer({ min: 0, max: 1439 }),
    fc.constantFrom(0, 60, 90, 120, 135, 150, 179, 180),
  )
  const resets = fc
    .tuple(days, fc.record({ minuteOfDay: minutes, zone: zones }))
    .map(([day, rest]) => ({ ...day, ...rest }))
  const times = fc.integer({ min: Date.parse('2000-01-01'), max: Date.parse('2040-01-01') })

  test('cuts time without gaps, and shows its time, or has skipped it, at each reset', () => {
    fc.assert(
      fc.property(resets, times, (reset, atMs) => {
        const { zone, minuteOfDay } = reset
        const { startMs, endMs } = new Calendar(reset).at(atMs)
        expect(startMs <= atMs && atMs < endMs).toBe(true)
        for (const sameMs of [startMs, endMs - 1, Math.floor((startMs + endMs) / 2)]) {
          expect(new Calendar(reset).at(sameMs)).toEqual({ startMs, endMs })
        }
        expect(new Calendar(reset).at(endMs).startMs).toBe(endMs)
        const clock = new ZoneClock(zone)
        const shown = clock.localMs(endMs)
        const wanted = Math.floor(shown / DAY_MS) * DAY_MS + minuteOfDay * 60_000
        const before = clock.localMs(endMs - 1)
        const isSkipped = shown - before > 1
        expect(isSkipped ? before < wanted && wanted <= shown : wanted === shown).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('remembers the window until time leaves it, forwards or backwards', () => {
    const calendar = calendarOf('1/day resets 00:00')
    const noon = Date.parse('2026-11-25T12:00Z')
    const today = calendar.at(noon)
    expect(calendar.at(noon + 11 * HOUR_MS)).toBe(today)
    expect(calendar.at(noon + 12 * HOUR_MS).startMs).toBe(today.endMs)
    expect(calendar.at(noon)).toEqual(today)
  })
})
