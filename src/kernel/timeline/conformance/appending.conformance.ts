import { afterEach, describe, expect, it } from 'vitest'
import { makerOf, newFact, newFacts, type Subject } from './facts.ts'

/** Appending, reading by position, and following live. */
export function appendingConformance(subject: Subject): void {
  const { make, close } = makerOf(subject)
  afterEach(close)

  describe('append and read', () => {
    it('numbers facts from 1 and returns them as a read does', async () => {
      const { timeline } = await make()
      expect(await timeline.head()).toBeNull()
      expect(await timeline.append([])).toEqual([])
      const first = await timeline.append([
        newFact({ subject: 'service:web', data: { b: [1, null], a: { x: 'ä\0' } } }),
      ])
      const rest = await Promise.all([timeline.append(newFacts(2)), timeline.append(newFacts(1))])
      const all = [...first, ...rest.flat()]
      expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
      expect(await timeline.read({})).toEqual(all)
      expect(await timeline.head()).toEqual({ sequence: 4, hash: all[3]?.hash, at: all[3]?.at })
    })

    it('gives each fact a UUIDv7 of its time, in rising order', async () => {
      const { timeline, clock } = await make()
      const early = await timeline.append(newFacts(1))
      clock.jump(5000)
      const late = await timeline.append(newFacts(1))
      for (const { id } of [...early, ...late]) {
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
      const time = Number.parseInt(late[0]?.id.replace('-', '').slice(0, 12) ?? '', 16)
      expect(time).toBe(clock.now())
      expect((early[0]?.id ?? '') < (late[0]?.id ?? '')).toBe(true)
    })

    it('keeps time from running backwards when the wall clock jumps back', async () => {
      const { timeline, clock } = await make()
      const [before] = await timeline.append(newFacts(1))
      clock.jump(-3_600_000)
      const [after] = await timeline.append(newFacts(1))
      expect(after?.at).toBe(before?.at)
      expect((await timeline.verify()).broken).toBeNull()
    })

    it('records what the caller said at the time of the call', async () => {
      const { timeline } = await make()
      const data: Record<string, number> = { count: 1 }
      const appending = timeline.append([newFact({ data })])
      data['count'] = 2
      expect((await appending)[0]?.data).toEqual({ count: 1 })
    })

    it.each([
      ['kind', { kind: 'no room' }],
      ['kind', { kind: 'edge.*' }],
      ['actor', { actor: '' }],
      ['subject', { subject: 'half a pair \ud800' }],
      ['subject', { subject: 'x'.repeat(2000) }],
      ['severity', { severity: 'fatal' as never }],
      ['data', { data: ['no object'] as never }],
    ])('refuses a fact with a bad %s and records nothing of the call', async (_, change) => {
      const { timeline } = await make()
      const appending = timeline.append([newFact(), newFact(change)])
      await expect(appending).rejects.toMatchObject({ code: 'timeline.invalid-fact', kind: 'bug' })
      expect(await timeline.head()).toBeNull()
    })

    it('refuses a payload of more than a mebibyte', async () => {
      const { timeline } = await make()
      const appending = timeline.append([newFact({ data: { text: 'x'.repeat(1_100_000) } })])
      await expect(appending).rejects.toMatchObject({ code: 'timeline.fact-too-large' })
    })

    it('refuses a read of too many', async () => {
      const { timeline } = await make()
      await expect(timeline.read({ limit: 10_001 })).rejects.toMatchObject({
        code: 'timeline.invalid-query',
      })
      await expect(timeline.read({ limit: 0 })).rejects.toMatchObject({ code: 'timeline.invalid-query' })
    })

    it('refuses everything after it is closed', async () => {
      const { timeline } = await make()
      await timeline.close()
      await timeline.close()
      const closed = { code: 'timeline.closed' }
      await expect(timeline.append(newFacts(1))).rejects.toMatchObject(closed)
      await expect(timeline.read({})).rejects.toMatchObject(closed)
      await expect(timeline.head()).rejects.toMatchObject(closed)
    })
  })

  describe('follow', () => {
    it('gives every matching fact once and in order, from the past into the present', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(700))
      const stop = new AbortController()
      const seen: number[] = []
      const following = (async () => {
        for await (const fact of timeline.follow({ after: 100, kinds: ['house.*'] }, stop.signal)) {
          seen.push(fact.sequence)
          if (fact.sequence === 1503) stop.abort()
        }
      })()
      for (let batch = 0; batch < 40; batch++) {
        await Promise.all([
          timeline.append(newFacts(10)),
          timeline.append(newFacts(10, { kind: 'edge.limit-bit' })),
        ])
      }
      await timeline.append(newFacts(3))
      await following
      const all = await timeline.read({ after: 100, kinds: ['house.*'], limit: 10_000 })
      expect(seen).toEqual(all.map(({ sequence }) => sequence))
    })

    it('begins with what comes after the call, even when reading begins later', async () => {
      const { timeline } = await make()
      await timeline.append(newFacts(5))
      const stop = new AbortController()
      const facts = timeline.follow({}, stop.signal)[Symbol.asyncIterator]()
      await timeline.append(newFacts(2))
      expect((await facts.next()).value?.sequence).toBe(6)
      expect((await facts.next()).value?.sequence).toBe(7)
      const next = facts.next()
      stop.abort()
      expect(await next).toEqual({ done: true, value: undefined })
    })

    it('wakes only for what matches, and ends when the timeline closes', async () => {
      const { timeline } = await make()
      const stop = new AbortController()
      const following = timeline.follow({ subject: 'service:web' }, stop.signal)[Symbol.asyncIterator]()
      const first = following.next()
      await timeline.append(newFacts(3))
      await timeline.append([newFact({ subject: 'service:web' })])
      await timeline.append(newFacts(1))
      expect((await first).value?.sequence).toBe(4)
      const second = following.next()
      await timeline.close()
      expect(await second).toEqual({ done: true, value: undefined })
    })

    it('tells listeners of each append before it resolves', async () => {
      const { timeline } = await make()
      const heard: number[] = []
      const stop = timeline.onAppended((facts) => heard.push(...facts.map(({ sequence }) => sequence)))
      await timeline.append(newFacts(2))
      expect(heard).toEqual([1, 2])
      stop()
      await timeline.append(newFacts(1))
      expect(heard).toEqual([1, 2])
    })
  })
}
