import { expect, test } from 'vitest'
import { decideDelay } from './back-off.ts'

const crash = { lifeMs: 10, orderly: false }

test('at once, then 100 ms, 200 ms ... and never more than 5 s', () => {
  let shortLives = 0
  const delays = Array.from({ length: 9 }, () => {
    const decision = decideDelay(crash, shortLives)
    shortLives = decision.shortLives
    return decision.delayMs
  })
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  expect(decideDelay({ ...crash, lifeMs: 10_000 }, shortLives)).toEqual({ delayMs: 0, shortLives: 1 })
})

test('who ends in order is started at once, however often, and does not make good for crashes', () => {
  expect(decideDelay({ lifeMs: 2000, orderly: true }, 4)).toEqual({ delayMs: 0, shortLives: 4 })
})

test('who ends in order as soon as it was started is no better than one that crashes', () => {
  expect(decideDelay({ lifeMs: 10, orderly: true }, 3)).toEqual({ delayMs: 400, shortLives: 4 })
})
