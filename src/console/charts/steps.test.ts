import { describe, expect, test } from 'vitest'
import { highest, means, perMinute, perSecond, quantile } from './steps.ts'

const point = (at: number, sum: number, count = 1) => ({
  at,
  count,
  sum,
  minimum: 0,
  maximum: sum,
  p50: sum,
  p95: sum * 2,
  p99: null,
})
const line = (points: ReturnType<typeof point>[], stepMs = 1000) => ({
  name: 'edge.requests',
  labels: {},
  kind: 'counter' as const,
  stepMs,
  points,
})
const window = { from: 0, to: 100_000 }

describe('perSecond', () => {
  test('adds routes and classes up and divides by the step', () => {
    const series = [line([point(10_000, 40), point(20_000, 10)], 10_000), line([point(10_000, 20)], 10_000)]
    expect(perSecond(series, { from: 0, to: 30_000 })).toEqual([
      [10_000, 6],
      [20_000, 1],
    ])
  })

  test('a step without a count is nothing, not a gap', () => {
    expect(perSecond([line([point(1000, 5), point(4000, 3)])], { from: 0, to: 5000 })).toEqual([
      [1000, 5],
      [2000, 0],
      [3000, 0],
      [4000, 3],
    ])
  })

  test('traffic that has stopped falls to nothing, but not before its report is due', () => {
    const values = perSecond([line([point(1000, 5)])], { from: 0, to: 8000 })
    expect(values).toEqual([
      [1000, 5],
      [2000, 0],
      [3000, 0],
      [4000, 0],
    ])
  })

  test('the step that is still going on is left out', () => {
    expect(perSecond([line([point(1000, 5), point(2000, 1)])], { from: 0, to: 2500 })).toEqual([[1000, 5]])
  })

  test('nothing measured is an empty line', () => {
    expect(perSecond([], window)).toEqual([])
  })
})

test('a gauge is averaged and breaks where it was not measured', () => {
  expect(means(line([point(1000, 6, 3), point(2000, 4, 2), point(9000, 1, 1)]), window)).toEqual([
    [1000, 2],
    [2000, 2],
    [3000, null],
    [9000, 1],
  ])
})

test('quantiles keep their gaps; the highest of several lines ignores them', () => {
  const first = quantile(line([point(1000, 3), point(2000, 1)]), window, 'p95')
  expect(first).toEqual([
    [1000, 6],
    [2000, 2],
  ])
  expect(
    highest([
      first,
      [
        [1000, 9],
        [2000, null],
        [3000, 1],
      ],
    ]),
  ).toEqual([
    [1000, 9],
    [2000, 2],
    [3000, 1],
  ])
})

test('per minute: steps of a minute at least, and what is rare is no row of peaks', () => {
  const series = [line([point(5000, 2), point(50_000, 4), point(130_000, 1)], 5000)]
  expect(perMinute(series, { from: 0, to: 200_000 })).toEqual([
    [0, 6],
    [60_000, 0],
    [120_000, 1],
  ])
  expect(perMinute([line([point(0, 50)], 300_000)], { from: 0, to: 300_000 })).toEqual([[0, 10]])
})
