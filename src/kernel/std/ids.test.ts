import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom, systemRandom, uuidv7 } from './index.ts'

it('makes a UUID of version 7 that carries its time', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 47), fc.nat(), (at, seed) => {
      const id = uuidv7({ now: () => at }, seededRandom(seed))
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(at)
    }),
  )
})

it('sorts by time', () => {
  const ids = [1, 2, 1000, 70_000, 2 ** 40].map((at) => uuidv7({ now: () => at }, systemRandom))
  expect(ids.toSorted()).toEqual(ids)
})

it('differs at the same time, and is the same from the same seed', () => {
  const clock = { now: () => 1_700_000_000_000 }
  const ids = new Set(Array.from({ length: 1000 }, () => uuidv7(clock, systemRandom)))
  expect(ids.size).toBe(1000)
  expect(uuidv7(clock, seededRandom(4))).toBe(uuidv7(clock, seededRandom(4)))
})
