import { expect, it } from 'vitest'
import { randomToken, seededRandom, systemRandom, type Random } from './index.ts'

it.each([
  ['the machine', systemRandom],
  ['a seed', seededRandom(99)],
])('draws evenly from %s', (_, random: Random) => {
  const draws = Array.from({ length: 20_000 }, () => random.next())
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...draws)).toBeLessThan(1)
  const tenths = Array.from(
    { length: 10 },
    (__, tenth) => draws.filter((draw) => Math.floor(draw * 10) === tenth).length,
  )
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(300)
  expect(random.bytes(33)).toHaveLength(33)
  expect(new Set(random.bytes(4000)).size).toBeGreaterThan(250)
})

it('repeats itself from the same seed only', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed)
    return Array.from({ length: 5 }, () => random.next())
  }
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
  expect(seededRandom(3).bytes(8)).toEqual(seededRandom(3).bytes(8))
})

it('makes tokens that fit into a URL', () => {
  expect(randomToken(systemRandom)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(randomToken(systemRandom, 16)).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(randomToken(systemRandom)).not.toBe(randomToken(systemRandom))
})
