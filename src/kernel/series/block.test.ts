import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBlock, encodeBlock, type Block } from './block.ts'
import { bucketCount } from './histogram.ts'

const number = fc
  .oneof(fc.integer(), fc.maxSafeNat(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0)
const cell = fc.record({
  count: number,
  sum: number,
  minimum: number,
  maximum: number,
  buckets: fc.option(
    fc
      .uniqueArray(fc.tuple(fc.nat({ max: bucketCount - 1 }), number), {
        maxLength: 30,
        selector: ([index]) => index,
      })
      .map((entries) => entries.sort(([a], [b]) => a - b).flat()),
  ),
})
const block: fc.Arbitrary<Block> = fc
  .array(fc.tuple(fc.nat({ max: 59 }), cell), { maxLength: 60 })
  .map((entries) => new Map(entries))

function outcomeOf(bytes: Uint8Array): string {
  try {
    return [...decodeBlock(bytes).keys()].every((slot) => slot < 60) ? 'read' : 'a slot out of range'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

describe('a block', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(block, (written) => {
        expect(decodeBlock(encodeBlock(written))).toEqual(written)
      }),
    )
  })

  test('of small counts takes few bytes', () => {
    const cells: Block = new Map()
    for (let slot = 0; slot < 60; slot++)
      cells.set(slot, { count: 1, sum: 40, minimum: 40, maximum: 40, buckets: null })
    expect(encodeBlock(cells).length).toBeLessThan(60 * 8)
  })

  test('that is damaged is either refused as corrupt or read, and never anything else', () => {
    fc.assert(
      fc.property(block, fc.nat(), fc.nat({ max: 255 }), (written, at, byte) => {
        const bytes = encodeBlock(written)
        bytes[at % bytes.length] = byte
        expect(outcomeOf(bytes)).toMatch(/^(read|series\.corrupt)$/)
      }),
      { numRuns: 500 },
    )
  })

  test('cut short, lengthened or of an unknown format is refused', () => {
    const bytes = encodeBlock(
      new Map([[3, { count: 1, sum: 0.5, minimum: 0.5, maximum: 0.5, buckets: null }]]),
    )
    const corrupt = expect.objectContaining({ code: 'series.corrupt' })
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeBlock(bytes.slice(0, length))).toThrow(corrupt)
    expect(() => decodeBlock(Uint8Array.from([...bytes, 0]))).toThrow(corrupt)
    expect(() => decodeBlock(Uint8Array.from([9, ...bytes.slice(1)]))).toThrow(corrupt)
  })
})
