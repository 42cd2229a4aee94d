import { expect, test } from 'vitest'
import { cpuShare } from './usage.ts'

const reading = (
  atMs: number,
  used: Record<string, number>,
): { atMs: number; usedMs: Map<string, number> } => ({
  atMs,
  usedMs: new Map(Object.entries(used)),
})

test('the first reading says nothing', () => {
  expect(cpuShare(undefined, reading(0, { a: 10 }))).toBeNull()
})

test('a whole core is 1; the newly born count, the dead do not make it negative', () => {
  expect(cpuShare(reading(0, { a: 100 }), reading(2000, { a: 2100 }))).toBe(1)
  expect(cpuShare(reading(0, { a: 100 }), reading(1000, { a: 100, b: 500 }))).toBe(0.5)
  expect(cpuShare(reading(0, { a: 900, b: 10 }), reading(1000, { b: 10 }))).toBe(0)
})
