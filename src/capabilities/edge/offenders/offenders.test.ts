import { describe, expect, test } from 'vitest'
import type { RefusedEntry } from '../../../contracts/limits.ts'
import { createNearMissBook, mergeOffenders, mergeSenders, MinuteTally, SpanTally } from './index.ts'

const login = { limit: 'edge.route.POST /login', rule: '5/min per ip' }

function entry(subject: string, refused: number, routes: RefusedEntry['routes'] = []): RefusedEntry {
  return { ...login, subject, refused, admitted: 1, wouldRefuse: 0, routes }
}

const near = (subject: string, share: number) => ({ ...login, subject, seen: 1, share })

describe('what several threads saw', () => {
  test('is summed up by limit and subject, and by route', () => {
    const one = entry('ip:10.0.0.1', 2, [{ route: 'POST /login', admitted: 1, refused: 2 }])
    const other = entry('ip:10.0.0.1', 3, [
      { route: 'POST /login', admitted: 1, refused: 1 },
      { route: '/*', admitted: 0, refused: 2 },
    ])
    const all = [one, other, entry('ip:10.0.0.2', 9)].map((each) => ({ offenders: [each], nearMisses: [] }))
    const { offenders } = mergeOffenders(all, { offenders: 10, nearMisses: 0 })
    expect(offenders.map(({ subject, refused }) => [subject, refused])).toEqual([
      ['ip:10.0.0.2', 9],
      ['ip:10.0.0.1', 5],
    ])
    expect(offenders[1]).toMatchObject({
      admitted: 2,
      routes: [
        { route: 'POST /login', admitted: 2, refused: 3 },
        { route: '/*', admitted: 0, refused: 2 },
      ],
    })
  })

  test('of more than twenty routes the rest is one', () => {
    const all = Array.from({ length: 30 }, (_, index) => ({
      offenders: [entry('ip:10.0.0.1', 1, [{ route: `/${index}`, admitted: 0, refused: 1 }])],
      nearMisses: [],
    }))
    const [only] = mergeOffenders(all, { offenders: 1, nearMisses: 0 }).offenders
    expect(only?.routes).toHaveLength(20)
    expect(only?.routes.find(({ route }) => route === '(others)')?.refused).toBe(11)
  })
})

describe('a minute', () => {
  test('ends with the first report after it, and names fifty at most', () => {
    const tally = new MinuteTally()
    const start = Date.UTC(2026, 0, 1)
    expect(tally.take({ at: start + 58_000, offenders: [entry('ip:10.0.0.1', 2)] })).toBeNull()
    const many = Array.from({ length: 64 }, (_, index) => entry(`ip:10.0.1.${index}`, 1))
    expect(tally.take({ at: start + 59_000, offenders: many })).toBeNull()
    const minute = tally.take({ at: start + 60_000 })
    expect(minute).toMatchObject({ from: start, until: start + 60_000 })
    expect(minute?.entries).toHaveLength(50)
    expect(minute?.entries[0]?.subject).toBe('ip:10.0.0.1')
    expect(tally.take({ at: start + 120_000 })).toBeNull()
  })

  test('a clock that is set back ends it too', () => {
    const tally = new MinuteTally()
    tally.take({ at: 7_200_000, offenders: [entry('ip:10.0.0.1', 2)] })
    expect(tally.take({ at: 3_600_000 })?.from).toBe(7_200_000)
  })
})

describe('near misses', () => {
  test('are forgotten after an hour, and those who were refused in the end are none', () => {
    const book = createNearMissBook()
    book.add({ at: 0, nearMisses: [near('user:1', 0.9), near('user:2', 0.8)] })
    book.add({ at: 300_000, nearMisses: [near('user:1', 1)], offenders: [entry('user:2', 1)] })
    expect(book.recent(600_000)).toEqual([{ ...near('user:1', 1), seen: 2 }])
    expect(book.recent(8_000_000)).toEqual([])
  })
})

describe('who sent most', () => {
  const minuteMs = 60_000
  const sent = (by: string, requests: number, minute = 0) => {
    const [route = '', address = ''] = by.split(' ')
    return { route, address, who: '', requests, minute }
  }

  test('is summed up, and a route with few requests is not forgotten over one with many', () => {
    const crowd = Array.from({ length: 20 }, (_, index) => sent(`/* 10.0.0.${index}`, 1000 + index))
    const merged = mergeSenders([...crowd, sent('/login 10.0.1.1', 3), sent('/login 10.0.1.1', 4)], 5)
    expect(merged.map(({ address, requests }) => [address, requests])).toEqual([
      ['10.0.0.19', 1019],
      ['10.0.0.18', 1018],
      ['10.0.0.17', 1017],
      ['10.0.1.1', 7],
      ['10.0.0.16', 1016],
    ])
  })

  test('is one span in five minutes, said when the last minute has been told of', () => {
    const tally = new SpanTally()
    const report = (at: number, requests: number, senders: ReturnType<typeof sent>[] = []) =>
      tally.take({ at, routes: [{ route: '/*', requests }], senders })
    expect(report(0, 5)).toEqual([])
    expect(report(minuteMs + 1000, 3, [sent('/* 10.0.0.1', 4)])).toEqual([])
    expect(tally.open()).toMatchObject([{ from: 0, routes: [{ requests: [5, 3, 0, 0, 0] }] }])
    expect(report(5 * minuteMs, 9, [sent('/* 10.0.0.1', 1, 4 * minuteMs)])).toEqual([])
    expect(report(5 * minuteMs + 10_000, 1)).toEqual([
      {
        from: 0,
        until: 5 * minuteMs,
        routes: [{ route: '/*', requests: [5, 3, 0, 0, 0] }],
        senders: [{ route: '/*', address: '10.0.0.1', who: '', requests: [4, 0, 0, 0, 1] }],
      },
    ])
    expect(tally.open()).toMatchObject([{ from: 5 * minuteMs, routes: [{ requests: [10, 0, 0, 0, 0] }] }])
  })

  test('a clock that is set back ends a span, and a quiet one is none', () => {
    const tally = new SpanTally()
    tally.take({ at: 7_200_000, routes: [{ route: '/*', requests: 2 }] })
    expect(tally.take({ at: 3_600_000, routes: [] })).toMatchObject([{ from: 7_200_000 }])
    expect(tally.take({ at: 7_200_000, routes: [] })).toEqual([])
  })
})
