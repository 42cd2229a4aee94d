import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideRestart, type Life } from './decide-restart.ts'

const crashes = (...ends: number[]): Life[] => ends.map((end) => ({ startedAtMs: end - 10, endedAtMs: end }))

test('0.5 s, 1 s, 2 s, 4 s, then a crash loop', () => {
  const ends = [10, 520, 1530, 3540, 7550]
  const decisions = ends.map((end, index) => decideRestart(crashes(...ends.slice(0, index + 1)), end))
  expect(decisions.slice(0, 4)).toEqual(
    [500, 1000, 2000, 4000].map((afterMs) => ({ kind: 'restart', afterMs })),
  )
  expect(decisions[4]).toEqual({ kind: 'crash-looped', crashes: 5, withinMs: 7550 })
})

test('lives that are short but not that short back off to half a minute and no further', () => {
  const lives: Life[] = Array.from({ length: 10 }, (_, index) => ({
    startedAtMs: index * 70_000,
    endedAtMs: index * 70_000 + 40_000,
  }))
  expect(decideRestart(lives, lives.at(-1)?.endedAtMs ?? 0)).toEqual({ kind: 'restart', afterMs: 30_000 })
})

test('a long life makes good for earlier crashes', () => {
  const lives = [...crashes(1, 2, 3, 4), { startedAtMs: 100, endedAtMs: 60_100 }]
  expect(decideRestart(lives, 60_100)).toEqual({ kind: 'restart', afterMs: 500 })
})

test('when the machine is at fault it is tried for ever', () => {
  expect(decideRestart(crashes(1, 2, 3, 4, 5, 6), 6, false).kind).toBe('restart')
})

test('whatever the history: between half a second and half a minute, and down only after five short lives in a minute', () => {
  const life = fc.record({ gapMs: fc.nat(200_000), lengthMs: fc.nat(120_000) })
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 10 }), (steps) => {
      let clock = 0
      const lives = steps.map(({ gapMs, lengthMs }) => {
        const startedAtMs = (clock += gapMs)
        return { startedAtMs, endedAtMs: (clock += lengthMs) }
      })
      const decision = decideRestart(lives, clock)
      const recent = lives.filter(
        (item) => clock - item.endedAtMs <= 60_000 && item.endedAtMs - item.startedAtMs < 60_000,
      )
      const fits =
        decision.kind === 'crash-looped'
          ? recent.length >= 5
          : decision.afterMs >= 500 && decision.afterMs <= 30_000
      expect(fits).toBe(true)
    }),
  )
})
