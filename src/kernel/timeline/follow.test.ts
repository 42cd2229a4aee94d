import { expect, it } from 'vitest'
import { virtualClock } from '../std/index.ts'
import { newFact, newFacts } from './conformance/facts.ts'
import { createListeners, followTimeline } from './follow.ts'
import { memoryTimeline, type Fact, type Timeline } from './index.ts'

/** A timeline to which something happens while each of its reads is on its way back. */
function disturbed(
  timeline: Timeline,
  disturb: (read: number) => Promise<unknown>,
): Timeline & { reads: number } {
  const wrapped = {
    ...timeline,
    reads: 0,
    read: async (...query: Parameters<Timeline['read']>): Promise<readonly Fact[]> => {
      const facts = await timeline.read(...query)
      wrapped.reads++
      await disturb(wrapped.reads)
      return facts
    },
  }
  return wrapped
}

async function followed(timeline: Timeline, kinds: readonly string[], last: number): Promise<number[]> {
  const head = { sequence: 0 }
  timeline.onAppended((facts) => (head.sequence = facts.at(-1)?.sequence ?? 0))
  const stop = new AbortController()
  const source = { timeline, lastSequence: () => head.sequence, closed: new AbortController().signal }
  const seen: number[] = []
  for await (const { sequence } of followTimeline(source, { after: 0, kinds }, stop.signal)) {
    seen.push(sequence)
    if (sequence === last) stop.abort()
  }
  return seen
}

it('misses nothing that is appended while a read is on its way', async () => {
  const timeline = memoryTimeline({ clock: virtualClock() })
  const slow = disturbed(timeline, async (read) =>
    read <= 5 ? await timeline.append(newFacts(2)) : undefined,
  )
  expect(await followed(slow, ['house.*'], 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

it('does not read again for facts that it is not asked for', async () => {
  const timeline = memoryTimeline({ clock: virtualClock() })
  const slow = disturbed(timeline, async () => undefined)
  const following = followed(slow, ['edge.*'], 101)
  for (let count = 0; count < 100; count++) {
    await timeline.append(newFacts(1))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await timeline.append([newFact({ kind: 'edge.limit-bit' })])
  expect(await following).toEqual([101])
  expect(slow.reads).toBeLessThan(5)
})

it('has a bound on listeners', () => {
  const listeners = createListeners()
  const stops = Array.from({ length: 1000 }, () => listeners.add(() => undefined))
  expect(() => listeners.add(() => undefined)).toThrow('listen to the timeline already')
  stops[0]?.()
  expect(listeners.add(() => undefined)).toBeTypeOf('function')
})
