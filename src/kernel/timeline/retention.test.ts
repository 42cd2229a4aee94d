import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { abandonedAfterMs, blockOf, blockSize, cutBelow, permittedBy } from './retention.ts'

it('cuts at the end of a whole block, never beyond what may go', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), (sequence) => {
      const cut = cutBelow(sequence)
      expect(cut).toBeLessThanOrEqual(sequence)
      expect(sequence - cut).toBeLessThan(blockSize)
      expect(blockOf(cut + 1)).toBe(blockOf(cut) + 1)
    }),
  )
})

const anyUses = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    sequence: fc.nat(1000),
    touchedAt: fc.nat(2 * abandonedAfterMs),
  }),
  { selector: ({ name }) => name },
)

it('never permits more than the lowest checkpoint that still counts', () => {
  fc.assert(
    fc.property(anyUses, fc.subarray(['a', 'b', 'x']), (uses, running) => {
      const { upTo, abandoned } = permittedBy(uses, new Set(running), 2 * abandonedAfterMs)
      const counting = uses.filter(({ name }) => !abandoned.includes(name))
      expect(counting.filter(({ sequence }) => sequence < upTo)).toEqual([])
      expect(running.filter((name) => abandoned.includes(name))).toEqual([])
      const hasUnsaved = running.some((name) => uses.every((known) => known.name !== name))
      expect(hasUnsaved && upTo > 0).toBe(false)
    }),
  )
})

it('holds a checkpoint that nobody runs for a week after it was last touched', () => {
  const use = { name: 'a', sequence: 40, touchedAt: 1000 }
  const at = (nowMs: number): unknown => permittedBy([use], new Set(), nowMs)
  expect(at(1000 + abandonedAfterMs)).toEqual({ upTo: 40, abandoned: [] })
  expect(at(1001 + abandonedAfterMs)).toEqual({ upTo: Number.MAX_SAFE_INTEGER, abandoned: ['a'] })
})
