import { expect, test } from 'vitest'
import { decideDelay } from './back-off.ts'

test('at once, then 100 ms, 200 ms ... and never more than 5 s', () => {
  let shortLives = 0
  const delays = Array.from({ length: 9 }, () => {
    const decision = decideDelay(10, shortLives)
    shortLives = decision.shortLives
    return decision.delayMs
  })
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  expect(decideDelay(10_000, shortLives)).toEqual({ delayMs: 0, shortLives: 1 })
})
