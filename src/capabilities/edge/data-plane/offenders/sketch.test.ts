import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sketch } from './sketch.ts'

const seen = fc.array(
  fc.record({ limit: fc.integer({ min: 0, max: 2 }), key: fc.oneof(fc.constant(7), fc.nat(40)) }),
  { maxLength: 2000 },
)

test('a count is never too low, too high by at most its error, and an error is at most N / K', () => {
  fc.assert(
    fc.property(seen, fc.integer({ min: 1, max: 32 }), (sightings, slots) => {
      const sketch = new Sketch(slots)
      const truth = new Map<string, { limit: number; key: number; count: number }>()
      for (const { limit, key } of sightings) {
        sketch.add(limit, key)
        const name = `${limit} ${key}`
        truth.set(name, { limit, key, count: (truth.get(name)?.count ?? 0) + 1 })
      }
      expect(sketch.size).toBeLessThanOrEqual(slots)
      for (const { limit, key, count } of truth.values()) {
        const slot = sketch.find(limit, key)
        const most = sightings.length / slots
        expect(slot >= 0 || count <= most).toBe(true)
        const [said, error] = slot < 0 ? [count, 0] : [sketch.count(slot), sketch.error(slot)]
        expect(said).toBeGreaterThanOrEqual(count)
        expect(said - error).toBeLessThanOrEqual(count)
        expect(error).toBeLessThanOrEqual(most)
      }
    }),
  )
})

test('keys of 53 bits that share their lower 32 are told apart, and so are limits', () => {
  const sketch = new Sketch(8)
  const keys = [5, 5 + 2 ** 32, 5 + 2 ** 40]
  for (const key of keys) sketch.add(0, key)
  sketch.add(1, 5)
  expect(sketch.size).toBe(4)
  expect(keys.map((key) => sketch.count(sketch.find(0, key)))).toEqual([1, 1, 1])
  expect(sketch.find(2, 5)).toBe(-1)
})

test('whoever has a slot keeps it over a restart, until somebody else is seen more', () => {
  const sketch = new Sketch(1)
  sketch.add(0, 1)
  sketch.restart()
  expect(sketch.find(0, 1)).toBe(0)
  expect(sketch.count(0)).toBe(0)
  sketch.add(0, 2)
  expect(sketch.isFresh).toBe(true)
  expect(sketch.find(0, 1)).toBe(-1)
  expect([sketch.count(0), sketch.error(0)]).toEqual([1, 0])
})
