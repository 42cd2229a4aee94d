import { describe, expect, test } from 'vitest'
import { judge, type GroupMeasures } from './judge.ts'
import { canaryWeight } from './rollouts.ts'

const rule = { judgeForMs: 10_000, errorMargin: 0.02, p95Factor: 1.5 }
const of = (requests: number, failures: number, p95Ms: number | null = 20): GroupMeasures => ({
  requests,
  failures,
  p95Ms,
})

describe('a judgement', () => {
  test.each([
    ['a canary that fails always is worse at once', of(5, 5), of(500, 0), 1000, 'worse'],
    ['one of which as many fail as before is not', of(100, 5), of(1000, 50), 10_000, 'good'],
    ['a failure or two among few requests may be chance', of(20, 1), of(1000, 10), 5000, 'pending'],
    ['within the margin nothing is worse', of(10_000, 190), of(10_000, 0), 10_000, 'good'],
    ['beyond it, and beyond chance, it is', of(10_000, 400), of(10_000, 0), 2000, 'worse'],
    ['too slow is said at the end', of(200, 0, 80), of(1000, 0, 20), 10_000, 'worse'],
    ['and not before', of(200, 0, 80), of(1000, 0, 20), 9000, 'pending'],
    ['a few milliseconds are noise', of(200, 0, 8), of(1000, 0, 4), 10_000, 'good'],
    ['too few requests for a percentile are no judgement', of(10, 0, 500), of(1000, 0, 20), 10_000, 'good'],
    ['without requests it does not wait', of(0, 0, null), of(0, 0, null), 3000, 'good'],
    ['but a moment it does', of(0, 0, null), of(0, 0, null), 2000, 'pending'],
  ] as const)('%s', (...[, fresh, old, judgedForMs, kind]) => {
    expect(judge({ fresh, old }, rule, judgedForMs).kind).toBe(kind)
  })

  test('says what it saw', () => {
    const verdict = judge({ fresh: of(50, 25), old: of(50, 0) }, rule, 0)
    expect(verdict).toEqual({
      kind: 'worse',
      because: "50.0 % of its 50 requests failed, beside 0.0 % of the old one's",
    })
  })
})

test('weights give canaries their share', () => {
  expect(canaryWeight(0.1, 1, 9)).toBe(100)
  expect(canaryWeight(0.1, 1, 1)).toBe(11)
  expect(canaryWeight(0.5, 1, 3)).toBe(300)
  expect(canaryWeight(1, 1, 3)).toBe(100)
  expect(canaryWeight(0.1, 0, 3)).toBe(100)
})
