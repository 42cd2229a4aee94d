import { array, assert, integer, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { addLines, lastLines, noLines, type LineBuffer } from './lines.ts'

const all = (buffer: LineBuffer<number>): number[] => buffer.pages.flatMap((page) => [...page.lines])

test('a buffer keeps the newest lines in their order and stays bounded', () => {
  assert(
    property(array(nat(700), { maxLength: 20 }), integer({ min: 1, max: 900 }), (bursts, capacity) => {
      let next = 0
      let buffer: LineBuffer<number> = noLines
      for (const size of bursts) {
        buffer = addLines(
          buffer,
          Array.from({ length: size }, () => next++),
          capacity,
        )
      }
      const held = all(buffer)
      expect(held).toEqual(Array.from({ length: held.length }, (_, index) => next - held.length + index))
      expect(held.length).toBe(buffer.count)
      expect(held.length).toBeGreaterThanOrEqual(Math.min(next, capacity, held.length))
      expect(held.length).toBeLessThanOrEqual(capacity + 400)
      expect(lastLines(buffer, 5)).toEqual(held.slice(-5))
    }),
  )
})

test('only the last page changes', () => {
  const first = addLines(
    noLines as LineBuffer<number>,
    Array.from({ length: 450 }, (_, index) => index),
  )
  const second = addLines(first, [450])
  expect(second.pages[0]).toBe(first.pages[0])
  expect(second.pages[1]).toBe(first.pages[1])
  expect(second.pages[2]).not.toBe(first.pages[2])
  expect(second.pages[2]?.id).toBe(first.pages[2]?.id)
})
