import { expect, test } from 'vitest'
import { everyMinute, refusalChart } from './refusal-chart.ts'

const step = (at: number, refused: number) => ({ at, refused, admitted: 1 })

test('minutes without a refusal are there, and one that began late counts in its own', () => {
  const minutes = everyMinute([step(30_000, 6), step(150_500, 12)], 30_000, 210_000)
  expect(minutes.map(({ at, refused }) => [at, refused])).toEqual([
    [30_000, 6],
    [90_000, 0],
    [150_000, 12],
  ])
  const { lines } = refusalChart(minutes, 60_000, { title: '', from: 30_000, to: 210_000 })
  expect(lines[0]?.points[0]).toEqual([30_000, 0.1])
})
