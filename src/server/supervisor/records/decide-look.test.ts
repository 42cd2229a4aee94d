import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { decideLook, LONGEST_LOOK_MS, SHORTEST_LOOK_MS } from './decide-look.ts'

const rule = { sizeBytes: 16_000, files: 5 }
const at = (atMs: number, sizeBytes: number): { atMs: number; sizeBytes: number } => ({ atMs, sizeBytes })

describe('looks at a log', () => {
  test('a quiet or unknown one is looked at in the common beat', () => {
    expect(decideLook(undefined, at(0, 9000), rule)).toEqual({ rotate: false, nextMs: LONGEST_LOOK_MS })
    expect(decideLook(at(0, 9000), at(100, 9000), rule)).toEqual({ rotate: false, nextMs: LONGEST_LOOK_MS })
  })

  test('one that grows is looked at in half the time in which it would be full', () => {
    expect(decideLook(at(0, 0), at(100, 10_000), rule)).toEqual({ rotate: false, nextMs: 30 })
  })

  test('one that is full is rotated, and so is one that would be before the next look', () => {
    expect(decideLook(undefined, at(0, 16_001), rule).rotate).toBe(true)
    expect(decideLook(at(0, 16_000), at(100, 16_000), rule).rotate).toBe(false)
    expect(decideLook(at(0, 5600), at(100, 15_600), rule)).toEqual({ rotate: true, nextMs: 80 })
  })

  test('one that was begun anew counts from its start', () => {
    expect(decideLook(at(0, 15_000), at(100, 8000), rule).nextMs).toBe(50)
  })

  test('a writer of any steady rate is never more than one shortest look beyond the size', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 2000, noNaN: true }), (bytesPerMs) => {
        let before = at(0, 0)
        let now = at(LONGEST_LOOK_MS, Math.min(rule.sizeBytes, bytesPerMs * LONGEST_LOOK_MS))
        for (let look = 0; look < 10_000; look++) {
          const decision = decideLook(before, now, rule)
          if (decision.rotate) return
          before = now
          now = at(now.atMs + decision.nextMs, now.sizeBytes + bytesPerMs * decision.nextMs)
          expect(now.sizeBytes).toBeLessThanOrEqual(rule.sizeBytes + bytesPerMs * SHORTEST_LOOK_MS)
        }
      }),
    )
  })
})
