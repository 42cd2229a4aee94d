import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EdgeReport } from '../../contracts/edge-policy.ts'
import { calm, decideSayings, flapsAfter, type Flaps, type Ongoing } from './decide.ts'

const serviceOf = new Map([['/*', 'web']])
const empty = { requests: 1, refused: 0, wouldRefuse: 0, bytesIn: 0, bytesOut: 0 }
const latency = { count: 0, sum: 0, minimum: 0, maximum: 0, buckets: {} }

/** A second in which one request was answered or failed. */
function reportAt(second: number, isFailing: boolean): EdgeReport {
  const route: EdgeReport['routes'][number] = {
    ...empty,
    route: '/*',
    classes: isFailing ? [0, 0, 0, 0, 1] : [0, 1, 0, 0, 0],
    originFailures: isFailing ? 1 : 0,
    latency,
  }
  const rest = { edgeId: 'e', revision: 'r', connections: 1, limits: [], unhealthyTargets: [], happened: [] }
  return { ...rest, number: second + 1, at: second * 1000, routes: [route] }
}

interface Said {
  readonly second: number
  readonly what: string
}

/** What is said of a service that fails in some seconds; control may be killed in between and knows what was said. */
function follow(seconds: number, isFailing: (second: number) => boolean): readonly Said[] {
  const said: Said[] = []
  let ongoing: Ongoing = calm
  for (let second = 0; second < seconds; second++) {
    const decision = decideSayings(ongoing, reportAt(second, isFailing(second)), serviceOf)
    ongoing = decision.ongoing
    for (const { what } of decision.sayings) said.push({ second, what })
  }
  return said
}

const secondsOf = (said: readonly Said[], what: string): readonly number[] =>
  said.filter((each) => each.what === what).map(({ second }) => second)

describe('a service that fails', () => {
  test('once: said at once, and its recovery after ten seconds', () => {
    expect(follow(60, (second) => second === 5)).toEqual([
      { second: 5, what: 'origin-failed' },
      { second: 15, what: 'origin-recovered' },
    ])
  })

  test('again and again: each recovery has to hold for twice as long, at most five minutes', () => {
    let [failedAt, hold] = [0, 10]
    const fails = new Set<number>([0])
    const holds: number[] = []
    while (holds.length < 8) {
      holds.push(hold)
      failedAt += hold + 5
      fails.add(failedAt)
      hold = Math.min(300, 2 * hold)
    }
    const said = follow(failedAt, (second) => fails.has(second))
    const failed = secondsOf(said, 'origin-failed')
    const recovered = secondsOf(said, 'origin-recovered')
    expect(recovered.map((second, index) => second - (failed[index] ?? 0))).toEqual(holds)
    expect(holds).toEqual([10, 20, 40, 80, 160, 300, 300, 300])
  })

  test('after ten minutes in which it was well: ten seconds are enough again', () => {
    const said = follow(700, (second) => second === 0 || second === 12 || second === 640)
    expect(secondsOf(said, 'origin-recovered')).toEqual([10, 32, 650])
  })

  test('however it flaps, in no hour more than thirty times; and its last recovery is said', () => {
    const stretches = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 700 })), {
      minLength: 1,
      maxLength: 400,
    })
    fc.assert(
      fc.property(stretches, (pairs) => {
        const flags = pairs.flatMap(([bad, good]) => [
          ...Array.from({ length: bad }, () => true),
          ...Array.from({ length: good }, () => false),
        ])
        const cut = flags.slice(0, 7200)
        const said = follow(cut.length + 301, (second) => cut[second] ?? false)
        const failed = secondsOf(said, 'origin-failed')
        for (const from of failed) {
          expect(
            failed.filter((second) => second >= from && second < from + 3600).length,
          ).toBeLessThanOrEqual(30)
        }
        expect(said.at(-1)?.what).toBe('origin-recovered')
      }),
      { numRuns: 30 },
    )
  })
})

test('flaps are known again from what was said, and forgotten when they are long past', () => {
  const say = (flaps: Flaps, what: 'origin-failed' | 'origin-recovered', at: number): Flaps =>
    flapsAfter(flaps, { what, service: 'web' }, at)
  const once = say(say({}, 'origin-failed', 0), 'origin-recovered', 10_000)
  expect(once).toEqual({ web: { holdMs: 10_000, recoveredAt: 10_000 } })
  expect(say(once, 'origin-failed', 20_000)).toEqual({ web: { holdMs: 20_000, recoveredAt: null } })
  expect(flapsAfter(once, { what: 'origin-failed', service: 'api' }, 610_000)).toEqual({
    api: { holdMs: 10_000, recoveredAt: null },
  })
  // A clock that was set back forgets nothing, and holds nobody for longer.
  expect(say(once, 'origin-failed', 5000)).toEqual({ web: { holdMs: 20_000, recoveredAt: null } })
})
