import { describe, expect, test } from 'vitest'
import type { LimitJournal, RememberedText } from '../../capabilities/limits/ports.ts'

const snapshot = (state: string) => ({ table: Uint8Array.from([1, 2, 3, state.length]), state })
const answer = (key: string, untilMs: number): RememberedText => ({ key, text: `answer ${key}`, untilMs })

/** What every journal of limits promises. `again` opens what the journal before left behind. */
export function describeJournal(name: string, make: () => { again: () => LimitJournal }): void {
  describe(`the journal of limits, ${name}`, () => {
    test('is empty when it is new', async () => {
      const journal = make().again()
      expect(await journal.open(0)).toEqual({
        snapshot: null,
        entries: [],
        remembered: [],
        draft: null,
        forgotten: 0,
      })
      await journal.close()
    })

    test('keeps entries in the order in which they were appended', async () => {
      const { again } = make()
      const journal = again()
      await journal.open(0)
      await Promise.all([journal.append(['a', 'b']), journal.append(['c']), journal.append([])])
      await journal.append(['d'])
      await journal.close()
      const next = again()
      expect((await next.open(0)).entries).toEqual(['a', 'b', 'c', 'd'])
      await next.append(['e'])
      await next.close()
      const last = again()
      expect((await last.open(0)).entries).toEqual(['a', 'b', 'c', 'd', 'e'])
      await last.close()
    })

    test('a snapshot takes the place of what was appended before it, and of nothing after', async () => {
      const { again } = make()
      const journal = again()
      await journal.open(0)
      const before = journal.append(['a', 'b'])
      const saved = journal.save(snapshot('one'), [], 0)
      const after = journal.append(['c'])
      await Promise.all([before, saved, after])
      await journal.save(snapshot('two'), [], 0)
      await journal.append(['d'])
      await journal.close()
      const next = again()
      expect(await next.open(0)).toEqual({
        snapshot: snapshot('two'),
        entries: ['d'],
        remembered: [],
        draft: null,
        forgotten: 0,
      })
      await next.close()
    })

    test('keeps one draft, whatever is appended or saved', async () => {
      const { again } = make()
      const journal = again()
      await journal.open(0)
      await journal.keepDraft('one')
      await journal.append(['a'])
      await journal.keepDraft('two')
      await journal.save(snapshot('one'), [], 0)
      await journal.close()
      const next = again()
      expect((await next.open(0)).draft).toBe('two')
      await next.keepDraft(null)
      await next.close()
      const last = again()
      expect((await last.open(0)).draft).toBeNull()
      await last.close()
    })

    test('remembers answers from snapshot to snapshot, until they may be forgotten', async () => {
      const { again } = make()
      const journal = again()
      await journal.open(0)
      await journal.save(snapshot('one'), [answer('a', 100), answer('b', 300)], 0)
      await journal.save(snapshot('two'), [answer('c', 400)], 0)
      await journal.close()
      const next = again()
      expect((await next.open(200)).remembered).toEqual([answer('b', 300), answer('c', 400)])
      await next.save(snapshot('three'), [], 350)
      await next.close()
      const last = again()
      expect((await last.open(0)).remembered).toEqual([answer('c', 400)])
      await last.close()
    })
  })
}
