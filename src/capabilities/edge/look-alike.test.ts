import { describe, expect, test } from 'vitest'
import type { EdgeReport } from '../../contracts/edge-policy.ts'
import { decideLookAlike, nothingSeen, type LookAlikeSaying } from './look-alike.ts'

const proxy = '172.17.0.1'

/** What is said in so many seconds, each with so many requests, some of which come from the proxy. */
function say(
  seconds: number,
  parts: { readonly requests: number; readonly fromProxy: number; readonly from?: number },
) {
  let state = nothingSeen
  const sayings: LookAlikeSaying[] = []
  for (let second = 0; second < seconds; second++) {
    const report = {
      at: (parts.from ?? 0) + 1000 * second,
      routes: [{ requests: parts.requests }],
      lookAlikes: parts.fromProxy === 0 ? undefined : [{ address: proxy, requests: parts.fromProxy }],
    } as unknown as EdgeReport
    const decided = decideLookAlike(state, report)
    state = decided.state
    if (decided.saying !== null) sayings.push(decided.saying)
  }
  return { sayings, state }
}

describe('a proxy that nobody trusts', () => {
  test('is said once for most of the traffic, as soon as there was enough of it', () => {
    const { sayings } = say(400, { requests: 10, fromProxy: 9 })
    expect(sayings).toHaveLength(1)
    expect(sayings[0]).toMatchObject({ address: proxy, percent: 90, requests: 108 })
    expect(sayings[0]?.hint).toContain(`trustProxies: ['${proxy}']`)
  })

  test('is not half of the traffic, nor few requests, nor none', () => {
    expect(say(400, { requests: 10, fromProxy: 5 }).sayings).toEqual([])
    expect(say(99, { requests: 1, fromProxy: 1 }).sayings).toEqual([])
    expect(say(400, { requests: 10, fromProxy: 0 }).sayings).toEqual([])
  })

  test('is said again after a day, and only three minutes are remembered', () => {
    const { sayings, state } = say(90_000, { requests: 10, fromProxy: 10 })
    expect(sayings).toHaveLength(2)
    expect(state.seconds.length).toBeLessThanOrEqual(180)
  })
})
