import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert } from '../std/index.ts'
import { cellOf, measured, measuredAll, mergeAt, pointOf, totalOfCells, type Cell } from './cell.ts'
import { emptyHistogram, merge } from './histogram.ts'
import type { Measurement } from './port.ts'

const measurement: fc.Arbitrary<Measurement> = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => measured(0, value)),
  fc
    .array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 })
    .map((values) => measuredAll(0, values)),
)

function soundCellOf(one: Measurement): Cell {
  const cell = cellOf(one)
  assert(cell !== undefined, 'the measurement is sound')
  return cell
}

function mergedCell(one: Cell, other: Cell): Cell {
  const cells = new Map([[0, one]])
  mergeAt(cells, 0, other)
  return cells.get(0) ?? one
}

describe('cells', () => {
  test('merge their buckets as histograms do, in any order', () => {
    fc.assert(
      fc.property(fc.array(measurement, { minLength: 1, maxLength: 8 }), (measurements) => {
        const cell = measurements.map(soundCellOf).reduce(mergedCell)
        const merged = pointOf(0, cell)
        const expected = measurements.reduce(
          (sum, one) => merge(sum, one.histogram ?? emptyHistogram),
          emptyHistogram,
        )
        expect(merged.histogram ?? emptyHistogram).toEqual(expected)
        expect(merged.count).toBe(measurements.reduce((sum, one) => sum + one.count, 0))
        expect(merged.minimum).toBe(Math.min(...measurements.map((one) => one.minimum)))
        expect(merged.maximum).toBe(Math.max(...measurements.map((one) => one.maximum)))
        const reversed = totalOfCells(measurements.toReversed().flatMap((one) => cellOf(one) ?? []))
        expect(reversed?.buckets).toEqual(cell.buckets)
      }),
    )
  })

  test('are not shared with what they were made from', () => {
    const cell = soundCellOf(measuredAll(0, [1, 2]))
    const cells = new Map<number, Cell>()
    mergeAt(cells, 0, cell)
    mergeAt(cells, 0, cell)
    expect([cell.count, cells.get(0)?.count]).toEqual([2, 4])
    expect(cell.buckets?.[1]).toBe(1)
  })

  test('are refused with senseless buckets', () => {
    for (const buckets of [
      { '-1': 1 },
      { '1024': 1 },
      { a: 1 },
      { '1.5': 1 },
      { '5': 1, '05': 1 },
      { '5': 0 },
    ])
      expect(cellOf({ ...measured(0, 1), histogram: { buckets: { ...buckets } } })).toBeUndefined()
  })
})
