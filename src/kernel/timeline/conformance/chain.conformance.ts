import { afterEach, describe, expect, it } from 'vitest'
import { genesisHash, verifyLines } from '../index.ts'
import { collected, lines, makerOf, newFact, newFacts, type Subject } from './facts.ts'

/** The chain: verified, anchored, erased from, exported and imported. */
export function chainConformance(subject: Subject): void {
  const { make, close } = makerOf(subject)
  afterEach(close)

  describe('chain', () => {
    it('verifies, with progress, and holds an anchor', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(10))
      const anchor = (await timeline.head()) ?? undefined
      await timeline.append(newFacts(1200))
      const shares: number[] = []
      const verification = await timeline.verify({
        ...(anchor === undefined ? {} : { anchor }),
        onProgress: (share) => shares.push(share),
      })
      expect(verification).toEqual({
        checked: 1210,
        head: await timeline.head(),
        base: null,
        broken: null,
        anchor: 'held',
      })
      expect(shares.at(-1)).toBe(1)
      expect(shares).toEqual([...shares].sort((a, b) => a - b))
    })

    it('is broken for an anchor of another chain, or of facts that are gone', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(10))
      const other = await timeline.verify({ anchor: { sequence: 4, hash: genesisHash, at: 0 } })
      expect(other).toMatchObject({ anchor: 'broken', broken: { sequence: 4 } })
      const beyond = await timeline.verify({ anchor: { sequence: 12, hash: genesisHash, at: 0 } })
      expect(beyond).toMatchObject({ anchor: 'broken', broken: { sequence: 11 } })
    })

    it('verifies when it is empty', async () => {
      const { timeline } = await make()
      expect(await timeline.verify()).toEqual({
        checked: 0,
        head: null,
        base: null,
        broken: null,
        anchor: 'none',
      })
    })

    it('still verifies after a payload was erased', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(5))
      expect(await timeline.erase(3)).toBe(true)
      expect(await timeline.erase(3)).toBe(true)
      expect(await timeline.erase(6)).toBe(false)
      const facts = await timeline.read({})
      expect(facts.map(({ data }) => data)).toEqual([
        { index: 0 },
        { index: 1 },
        null,
        { index: 3 },
        { index: 4 },
      ])
      expect(await timeline.verify()).toMatchObject({ checked: 5, broken: null })
      await timeline.append(newFacts(1))
      expect(await timeline.verify()).toMatchObject({ checked: 6, broken: null })
    })
  })

  describe('export and import', () => {
    it('rebuilds the same chain, erased payloads and all', async () => {
      const { timeline } = await make()
      await timeline.append(
        newFacts(1100, { subject: 'service:web', correlation: 'job-1', severity: 'warning' }),
      )
      await timeline.append([newFact({ data: { z: 1, a: { c: 'ü"\n', b: -0 }, 10: 1, 9: 2 } })])
      await timeline.erase(7)
      const exported = await collected(timeline.exportLines())
      const { timeline: copy } = await make()
      expect(await copy.importLines(lines(['', ...exported, '  ']))).toBe(1101)
      expect(await copy.head()).toEqual(await timeline.head())
      expect(await collected(copy.exportLines())).toEqual(exported)
      expect(await copy.read({ order: 'newest' })).toEqual(await timeline.read({ order: 'newest' }))
      expect(
        await copy.read({ subject: 'service:web', minimumSeverity: 'warning', after: 1000 }),
      ).toHaveLength(100)
      expect(
        await verifyLines(lines(exported), { anchor: (await timeline.head()) ?? undefined }),
      ).toMatchObject({
        checked: 1101,
        broken: null,
        anchor: 'held',
      })
      const [next] = await copy.append(newFacts(1))
      expect(next?.sequence).toBe(1102)
      expect(await copy.verify()).toMatchObject({ checked: 1102, broken: null })
    })

    it('refuses a broken chain, names the first broken link, and imports nothing', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(2500))
      const exported = await collected(timeline.exportLines())
      const cases: [string, (lines: string[]) => string[]][] = [
        ['fact 2400', (all) => all.map((line) => line.replace('"index":2399', '"index":9'))],
        ['fact 1300', (all) => all.toSpliced(1300, 1)],
        ['fact 17', (all) => all.toSpliced(17, 2, ...all.slice(17, 19).toReversed())],
        ['fact 2500', (all) => all.slice(0, -1)],
        ['line 3 ', (all) => all.with(2, '{"kind":')],
        ['line 4 ', (all) => all.with(3, '{"sequence":"3"}')],
        ['first line', (all) => all.slice(1)],
        ['format', (all) => all.with(0, '{"format":"another/9"}')],
        ['empty', () => []],
      ]
      const { timeline: copy } = await make()
      for (const [named, change] of cases) {
        const importing = copy.importLines(lines(change(exported)))
        await expect(importing).rejects.toMatchObject({
          code: 'timeline.import-refused',
          message: expect.stringContaining(named) as string,
        })
      }
      expect(await copy.head()).toBeNull()
      expect(await copy.importLines(lines(exported))).toBe(2500)
    })

    it('refuses to import into a timeline that is not empty or is listened to', async () => {
      const { timeline } = await make()
      const stop = timeline.onAppended(() => undefined)
      await expect(timeline.importLines(lines([]))).rejects.toMatchObject({
        code: 'timeline.import-refused',
      })
      stop()
      await timeline.append(newFacts(1))
      const exported = await collected(timeline.exportLines())
      await expect(timeline.importLines(lines(exported))).rejects.toMatchObject({
        code: 'timeline.import-refused',
      })
      expect(await timeline.append(newFacts(1))).toHaveLength(1)
    })
  })
}
