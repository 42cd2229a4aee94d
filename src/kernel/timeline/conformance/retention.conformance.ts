import { afterEach, describe, expect, it } from 'vitest'
import { genesisHash, startView } from '../index.ts'
import { collected, lines, makerOf, newFacts, type Subject } from './facts.ts'

/** Checkpoints and retention. */
export function retentionConformance(subject: Subject): void {
  const { make, close } = makerOf(subject)
  afterEach(close)

  describe('checkpoints and retention', () => {
    const everything = { maxAgeMs: 0, maxSizeBytes: Infinity }

    it('keeps checkpoints', async () => {
      const { timeline } = await make()
      expect(await timeline.loadCheckpoint('jobs@1')).toBeNull()
      await timeline.saveCheckpoint('jobs@1', { sequence: 3, state: { a: [1] } })
      await timeline.saveCheckpoint('jobs@1', { sequence: 4, state: { a: [2] } })
      expect(await timeline.loadCheckpoint('jobs@1')).toEqual({ sequence: 4, state: { a: [2] } })
    })

    it('removes by age, in whole blocks, and the rest verifies from the base', async () => {
      const { timeline, clock } = await make()
      await timeline.append(newFacts(300))
      const anchor = (await timeline.head()) ?? undefined
      clock.jump(10_000)
      await timeline.append(newFacts(300, { subject: 'service:web', kind: 'edge.limit-bit' }))
      expect(await timeline.retain({ maxAgeMs: 20_000, maxSizeBytes: Infinity })).toBe(0)
      expect(await timeline.retain({ maxAgeMs: 5000, maxSizeBytes: Infinity })).toBe(255)
      const rest = await timeline.read({ limit: 1000 })
      expect(rest[0]?.sequence).toBe(256)
      expect(await timeline.read({ kinds: ['house.tested'], limit: 1000 })).toHaveLength(45)
      const verification = await timeline.verify({ anchor })
      expect(verification).toMatchObject({
        checked: 345,
        broken: null,
        anchor: 'held',
        base: { sequence: 255 },
      })
      const old = await timeline.verify({ anchor: { sequence: 100, hash: genesisHash, at: 0 } })
      expect(old).toMatchObject({ broken: null, anchor: 'too-old' })
      clock.jump(10_000)
      expect(await timeline.retain({ maxAgeMs: 5000, maxSizeBytes: Infinity })).toBe(256)
      const [next] = await timeline.append(newFacts(1))
      expect(next?.sequence).toBe(601)
      expect((await timeline.verify()).broken).toBeNull()
    })

    it('removes by size until the rest fits', async () => {
      const { timeline } = await make()
      for (let batch = 0; batch < 8; batch++) await timeline.append(newFacts(1000))
      const removed = await timeline.retain({ maxAgeMs: Infinity, maxSizeBytes: 700_000 })
      expect(removed).toBeGreaterThan(1000)
      expect(removed).toBeLessThan(8000)
      expect(await timeline.retain({ maxAgeMs: Infinity, maxSizeBytes: 700_000 })).toBe(0)
      expect((await timeline.verify()).broken).toBeNull()
    })

    it('never passes the checkpoint of a fold that runs, nor one that has none yet', async () => {
      const { timeline, clock } = await make()
      await timeline.append(newFacts(1000))
      clock.jump(10)
      await timeline.loadCheckpoint('a@1')
      expect(await timeline.retain(everything)).toBe(0)
      await timeline.saveCheckpoint('a@1', { sequence: 600, state: {} })
      await timeline.saveCheckpoint('b@1', { sequence: 300, state: {} })
      expect(await timeline.retain(everything)).toBe(255)
      await timeline.saveCheckpoint('b@1', { sequence: 1000, state: {} })
      expect(await timeline.retain(everything)).toBe(256)
    })

    it('lets go of the checkpoint of a fold that nobody ran for a week', async () => {
      const { timeline, clock } = await make()
      await timeline.append(newFacts(300))
      await timeline.saveCheckpoint('gone@1', { sequence: 10, state: {} })
      clock.jump(6 * 86_400_000)
      expect(await timeline.retain(everything)).toBe(0)
      clock.jump(2 * 86_400_000)
      expect(await timeline.retain(everything)).toBe(255)
      expect(await timeline.loadCheckpoint('gone@1')).toBeNull()
    })

    it('exports a shortened chain with its base and checkpoints, from which folds go on', async () => {
      const { timeline, clock } = await make()
      await timeline.append(newFacts(500))
      const count = {
        name: 'count@1',
        initial: { facts: 0 },
        step: ({ facts }: { facts: number }) => ({ facts: facts + 1 }),
      }
      const view = await startView(timeline, count)
      await view.close()
      clock.jump(10)
      expect(await timeline.retain(everything)).toBe(383)
      const exported = await collected(timeline.exportLines())
      const { timeline: copy } = await make()
      expect(await copy.importLines(lines(exported))).toBe(117)
      expect(await copy.verify()).toMatchObject({ base: { sequence: 383 }, broken: null })
      expect((await startView(copy, count)).state).toEqual({ facts: 500 })
    })
  })
}
