import { assert, integer, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { afterOverlap } from './overlap.ts'

test('lines that are already held are not shown twice', () => {
  expect(afterOverlap(['a', 'b', 'c'], ['b', 'c', 'd', 'e'])).toEqual(['d', 'e'])
  expect(afterOverlap(['a', 'b', 'c'], ['x', 'y'])).toEqual(['x', 'y'])
  expect(afterOverlap([], ['x'])).toEqual(['x'])
  expect(afterOverlap(['a'], [])).toEqual([])
})

test('of several possible joins the longest is taken', () => {
  expect(afterOverlap(['tick', 'boom', 'tick'], ['boom', 'tick', 'new', 'tick', 'newer'])).toEqual([
    'new',
    'tick',
    'newer',
  ])
})

test('a log of distinct lines is continued without a loss or a repetition', () => {
  assert(
    property(nat(60), nat(60), integer({ min: 1, max: 200 }), (seen, missed, asked) => {
      const log = Array.from({ length: seen + missed }, (_, index) => `line ${index}`)
      const burst = log.slice(-asked)
      const joined = [...log.slice(0, seen), ...afterOverlap(log.slice(0, seen), burst)]
      const lost = Math.max(0, missed - asked)
      expect(joined).toEqual([...log.slice(0, seen), ...log.slice(seen + lost)])
    }),
  )
})
