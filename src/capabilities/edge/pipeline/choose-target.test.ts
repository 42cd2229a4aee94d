import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../kernel/std/index.ts'
import { health } from '../health.ts'
import { targetChooser } from './choose-target.ts'

const { well, ill, unknown, suspect } = health

interface Given {
  readonly state?: number
  readonly weight?: number
  readonly group?: number
  readonly inFlight?: number
}

const chooserOf = (targets: readonly Given[]) =>
  targetChooser({
    count: targets.length,
    healthOf: (index) => targets[index]?.state ?? well,
    weightOf: (index) => targets[index]?.weight ?? 100,
    groupOf: (index) => targets[index]?.group ?? 0,
    inFlightOf: (index) => targets[index]?.inFlight ?? 0,
  })

/** The sequence that threads draw from. */
function* drawsFrom(start: number): Generator<number, never> {
  for (let state = start >>> 0; ; state = (state + 0x9e3779b9) >>> 0) yield state / 2 ** 32
}

function countChosen(targets: readonly Given[], requests: number, start: number): readonly number[] {
  const counts = targets.map(() => 0)
  const choose = chooserOf(targets)
  const draws = drawsFrom(start)
  for (let request = 0; request < requests; request++) {
    const chosen = choose(draws.next().value)
    counts[chosen] = (counts[chosen] ?? 0) + 1
  }
  return counts
}

const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const target = fc.record({
  state: fc.constantFrom(well, ill, unknown, suspect),
  weight: fc.constantFrom(0, 1, 10, 100, 1000),
  group: fc.nat(2),
  inFlight: fc.nat(20),
})

describe('the target', () => {
  test('is one that is well, else one of unknown health, else none', () => {
    fc.assert(
      fc.property(
        fc.array(target, { maxLength: 6 }),
        draw,
        fc.integer({ min: -1, max: 5 }),
        (targets, at, not) => {
          const chosen = chooserOf(targets)(at, not)
          const states = new Set(targets.map(({ state }) => state))
          const best = states.has(well) ? well : states.has(unknown) ? unknown : null
          expect(best === null ? chosen : targets[chosen]?.state).toBe(best ?? -1)
        },
      ),
    )
  })

  test('is not the one that failed if another of that health is left, nor one without weight if another has some', () => {
    fc.assert(
      fc.property(
        fc.array(target, { minLength: 1, maxLength: 6 }),
        draw,
        fc.integer({ min: -1, max: 5 }),
        (targets, at, not) => {
          const chosen = chooserOf(targets)(at, not)
          const others = targets.filter(
            ({ state }, index) => index !== not && state === targets[chosen]?.state,
          )
          const mayBeAgain = others.length === 0
          const mayBeWeightless = others.every(({ weight }) => weight === 0)
          expect(chosen < 0 || mayBeAgain || chosen !== not).toBe(true)
          expect(chosen < 0 || mayBeWeightless || targets[chosen]?.weight !== 0).toBe(true)
        },
      ),
    )
  })

  test('a group has its share of any few hundred requests in a row, whatever is under way', () => {
    const load = fc.array(fc.nat(20), { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(load, fc.nat(), fc.integer({ min: 200, max: 500 }), (loads, start, requests) => {
        const weights = [100, 10, 100, 10, 100]
        const targets = weights.map((weight, index) => ({
          weight,
          group: weight,
          inFlight: loads[index] ?? 0,
        }))
        const counts = countChosen(targets, requests, start)
        const canary = (counts[1] ?? 0) + (counts[3] ?? 0)
        expect(Math.abs(canary - (requests * 20) / 320)).toBeLessThan(5)
      }),
    )
  })

  test('a canary of weight 10 beside two of 100 gets 5 %', () => {
    for (let start = 0; start < 2 ** 32; start += 2 ** 27) {
      const canary = countChosen([{}, { group: 1, weight: 10 }, {}], 300, start)[1]
      expect(canary).toBeGreaterThanOrEqual(12)
      expect(canary).toBeLessThanOrEqual(17)
    }
  })

  test('of two of a group, the one with less under way; of another group, never', () => {
    const busy = { inFlight: 5 }
    const [first, second, other] = countChosen([busy, { inFlight: 1 }, { group: 1 }], 300, 7)
    expect(first).toBe(0)
    expect(Math.abs((second ?? 0) - 200)).toBeLessThan(5)
    expect(Math.abs((other ?? 0) - 100)).toBeLessThan(5)
  })

  test('all of a group get their share, also by draws of chance', () => {
    const choose = chooserOf([{}, {}, {}])
    const random = seededRandom(1)
    const counts = [0, 0, 0]
    for (let count = 0; count < 3000; count++) {
      const chosen = choose(random.next())
      counts[chosen] = (counts[chosen] ?? 0) + 1
    }
    for (const count of counts) expect(count).toBeGreaterThan(900)
  })

  test('with no weight at all, everybody is asked', () => {
    const counts = countChosen([{ weight: 0 }, { weight: 0, group: 1 }], 100, 3)
    for (const count of counts) expect(count).toBeGreaterThan(45)
  })
})
