import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert, virtualClock } from '../std/index.ts'
import {
  emptyHistogram,
  measured,
  measuredAll,
  merge,
  openSeries,
  type SeriesAnswer,
  type SeriesStore,
} from './index.ts'

const startMs = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const key = { name: 'edge.requests', labels: { route: 'POST /login' } }

async function only(answers: Promise<readonly SeriesAnswer[]>): Promise<SeriesAnswer> {
  const [answer, ...rest] = await answers
  expect(rest).toEqual([])
  assert(answer !== undefined, 'there is a series')
  return answer
}

function sumOf(answer: SeriesAnswer): number {
  return answer.points.reduce((sum, point) => sum + point.sum, 0)
}

/** Heap in use after a full collection, in bytes. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

async function openWithClock(maxSeries?: number) {
  const clock = virtualClock(startMs + 400 * dayMs)
  const series = await openSeries({ path: null, clock, ...(maxSeries === undefined ? {} : { maxSeries }) })
  return { clock, series, now: () => clock.now() }
}

describe('a store in memory', () => {
  test('answers each resolution with the same totals, and gaps stay gaps', async () => {
    const { series, now } = await openWithClock()
    const at = now()
    for (const agoMs of [0, 1000, 1500, 30_000, 20 * 60_000])
      series.record(key, 'counter', measured(at - agoMs, 2))
    const fine = await only(series.query({ name: key.name, from: at - 60_000, to: at + 1 }))
    expect(fine.points.map((point) => [at - point.at, point.count, point.sum])).toEqual([
      [30_000, 1, 2],
      [2000, 1, 2],
      [1000, 1, 2],
      [0, 1, 2],
    ])
    for (const [spanMs, stepMs] of [
      [hourMs, 20_000],
      [5 * hourMs, 120_000],
      [100 * dayMs, dayMs],
    ] as const) {
      const answer = await only(series.query({ name: key.name, from: at - spanMs, to: at + 1 }))
      expect([answer.stepMs, sumOf(answer)]).toEqual([stepMs, 10])
    }
    await series.close()
  })

  test('keeps count, sum, extremes and the distribution through all merging', async () => {
    const { series, now } = await openWithClock()
    const at = now()
    const values = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), {
      minLength: 1,
      maxLength: 20,
    })
    const batches = fc.array(fc.tuple(fc.integer({ min: 0, max: 3500 }), values), {
      minLength: 1,
      maxLength: 20,
    })
    let run = 0
    await fc.assert(
      fc.asyncProperty(batches, async (measurements) => {
        const name = `run-${run++}`
        for (const [agoS, list] of measurements)
          series.record({ name, labels: {} }, 'distribution', measuredAll(at - agoS * 1000, list))
        const all = measurements.flatMap(([, list]) => list)
        const whole = measuredAll(at, all)
        for (const maxPoints of [10, 2000]) {
          const answer = await only(series.query({ name, from: at - hourMs, to: at + 1, maxPoints }))
          const points = answer.points
          expect(points.reduce((sum, point) => sum + point.count, 0)).toBe(all.length)
          expect(sumOf(answer)).toBeCloseTo(whole.sum, 3)
          expect(Math.min(...points.map((point) => point.minimum))).toBe(whole.minimum)
          expect(Math.max(...points.map((point) => point.maximum))).toBe(whole.maximum)
          expect(points.length).toBeLessThanOrEqual(maxPoints)
          expect(new Set(points.map((point) => point.at)).size).toBe(points.length)
        }
        const merged = (await series.query({ name, from: at - 399 * dayMs, to: at + 1, maxPoints: 10 }))[0]
        const histogram = merged?.points.reduce(
          (sum, point) => merge(sum, point.histogram ?? emptyHistogram),
          emptyHistogram,
        )
        expect(histogram).toEqual(whole.histogram)
      }),
      { numRuns: 40 },
    )
    await series.close()
  })

  test('forgets seconds after an hour, minutes after a week and hours after 400 days', async () => {
    const { series, clock, now } = await openWithClock()
    const first = now()
    series.record(key, 'counter', measured(first, 1))
    const stepAfter = async (passedMs: number): Promise<number | undefined> => {
      clock.jump(first + passedMs - now())
      await series.flush()
      const [answer] = await series.query({ name: key.name, from: first, to: first + 1, maxPoints: 10 })
      return answer?.points.length === 1 ? answer.stepMs : undefined
    }
    expect(await stepAfter(59 * 60_000)).toBe(1000)
    expect(await stepAfter(2 * hourMs)).toBe(60_000)
    expect(await stepAfter(6 * dayMs)).toBe(60_000)
    expect(await stepAfter(8 * dayMs)).toBe(hourMs)
    expect(await stepAfter(399 * dayMs)).toBe(hourMs)
    expect(await stepAfter(403 * dayMs)).toBeUndefined()
    await series.close()
  })

  test('late measurements go to their step; too late, too early or senseless ones are counted', async () => {
    const { series, now } = await openWithClock()
    const at = now()
    series.record(key, 'counter', measured(at, 1))
    await series.flush()
    series.record(key, 'counter', measured(at - 3 * dayMs, 5))
    expect(
      sumOf(await only(series.query({ name: key.name, from: at - 4 * dayMs, to: at - 2 * dayMs }))),
    ).toBe(5)
    expect(series.dropped).toBe(0)
    series.record(key, 'counter', measured(at - 500 * dayMs, 1))
    series.record(key, 'counter', measured(at + hourMs, 1))
    series.record(key, 'counter', measured(Number.NaN, 1))
    series.record(key, 'counter', measured(at, Number.NaN))
    series.record(key, 'counter', { at, count: 0, sum: 0, minimum: 0, maximum: 0 })
    series.record(key, 'counter', { ...measured(at, 1), histogram: { buckets: { 4096: 1 } } })
    expect(series.dropped).toBe(6)
    await series.close()
  })

  test('survives a clock that jumps back and forth', async () => {
    const { series, clock, now } = await openWithClock()
    const jumps = [0, 2 * hourMs, -2 * hourMs, -30 * dayMs, 30 * dayMs, 60_000]
    for (const byMs of jumps) {
      clock.jump(byMs)
      series.record(key, 'gauge', measured(now(), 1))
      await series.flush()
    }
    const at = now()
    const answer = await only(series.query({ name: key.name, from: at - 5 * 60_000, to: at + 1 }))
    expect(sumOf(answer)).toBeGreaterThan(0)
    expect(series.dropped).toBe(0)
    await series.close()
  })

  test('finds series by their labels, in any order', async () => {
    const { series, now } = await openWithClock()
    series.record({ name: 'a', labels: { x: '1', y: '1' } }, 'gauge', measured(now(), 1))
    series.record({ name: 'a', labels: { y: '1', x: '1' } }, 'gauge', measured(now(), 1))
    series.record({ name: 'a', labels: { x: '1', y: '2' } }, 'gauge', measured(now(), 1))
    series.record({ name: 'b', labels: { x: '1' } }, 'gauge', measured(now(), 1))
    const count = async (labels: Record<string, string>): Promise<number> =>
      (await series.query({ name: 'a', labels, from: now() - 1000, to: now() + 1 })).length
    expect(await series.list()).toHaveLength(3)
    expect([
      await count({}),
      await count({ x: '1' }),
      await count({ y: '2' }),
      await count({ z: '' }),
    ]).toEqual([2, 2, 1, 0])
    await series.close()
  })
})

describe('bounds', () => {
  test('past the number of series measurements are counted, until one is silent for a day', async () => {
    const { series, clock, now } = await openWithClock(3)
    const record = (name: string): void => series.record({ name, labels: {} }, 'gauge', measured(now(), 1))
    for (const name of ['a', 'b', 'c', 'd', 'e']) record(name)
    expect(series.dropped).toBe(2)
    clock.jump(25 * hourMs)
    record('b')
    record('d')
    expect(series.dropped).toBe(2)
    const names = (await series.list()).map(({ name }) => name)
    expect(names.sort()).toEqual(['b', 'c', 'd'])
    const all = { from: now() - 100 * dayMs, to: now() + 1 }
    expect(sumOf(await only(series.query({ name: 'd', ...all })))).toBe(1)
    await series.close()
  })

  test('keys that are too long or carry too many labels are counted', async () => {
    const { series, now } = await openWithClock()
    const labels = { a: '', b: '', c: '', d: '', e: '' }
    for (const bad of [
      { name: 'x', labels },
      { name: 'x'.repeat(101), labels: {} },
      { name: '', labels: {} },
      { name: 'x', labels: { a: 'x'.repeat(301) } },
    ])
      series.record(bad, 'gauge', measured(now(), 1))
    expect(series.dropped).toBe(4)
    expect(await series.list()).toEqual([])
    await series.close()
  })

  test('memory stays within bounds however long it runs', async () => {
    const { series, clock, now } = await openWithClock(50)
    const hour = async (): Promise<void> => {
      for (let minute = 0; minute < 60; minute++) {
        clock.jump(60_000)
        for (let index = 0; index < 60; index++)
          series.record({ name: 'm', labels: { index: String(index) } }, 'gauge', measured(now(), index))
        await series.flush()
      }
    }
    await hour()
    const before = heapBytes()
    for (let hours = 0; hours < 5; hours++) await hour()
    expect(series.dropped).toBe(6 * 60 * 10)
    expect(heapBytes() - before).toBeLessThan(2 ** 20)
    await series.close()
  })

  test('what waits for a flush is bounded as well', async () => {
    const { series, now } = await openWithClock(10)
    for (let minute = 0; minute < 100; minute++)
      series.record(key, 'gauge', measured(now() - minute * 60_000, 1))
    expect(series.dropped).toBe(60)
    await series.flush()
    series.record(key, 'gauge', measured(now(), 1))
    expect(series.dropped).toBe(60)
    await series.close()
  })

  test('an answer never has more than 100,000 points', async () => {
    const { series, now } = await openWithClock()
    for (let index = 0; index < 300; index++)
      for (let minute = 0; minute < 5; minute++)
        series.record(
          { name: 'm', labels: { index: String(index) } },
          'gauge',
          measured(now() - minute * 1000, 1),
        )
    const answers = await series.query({ name: 'm', from: now() - hourMs, to: now() + 1, maxPoints: 2000 })
    expect(answers).toHaveLength(300)
    expect(hourMs / (answers[0]?.stepMs ?? 1)).toBeLessThanOrEqual(100_000 / 300)
    await series.close()
  })
})

describe('a closed store', () => {
  test('refuses questions and counts measurements', async () => {
    const { series, now } = await openWithClock()
    await series.close()
    await series.close()
    series.record(key, 'gauge', measured(now(), 1))
    expect(series.dropped).toBe(1)
    const closed = { code: 'series.closed' }
    const act: ((store: SeriesStore) => Promise<unknown>)[] = [
      (store) => store.flush(),
      (store) => store.query({ name: 'x', from: 0, to: 1 }),
    ]
    for (const attempt of act) await expect(attempt(series)).rejects.toMatchObject(closed)
  })
})
