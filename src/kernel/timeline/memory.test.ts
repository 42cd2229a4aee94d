import { expect, it } from 'vitest'
import { seededRandom, virtualClock } from '../std/index.ts'
import { memoryTimeline } from './index.ts'
import { newFacts } from './conformance/facts.ts'
import { timelineConformance } from './conformance/timeline.conformance.ts'

timelineConformance({
  name: 'memory',
  make: async (clock) => memoryTimeline({ clock, random: seededRandom(3) }),
})

it('is bounded', async () => {
  const timeline = memoryTimeline({ clock: virtualClock(), maxFacts: 10 })
  await timeline.append(newFacts(9))
  await expect(timeline.append(newFacts(2))).rejects.toMatchObject({ code: 'timeline.full' })
  expect(await timeline.append(newFacts(1))).toHaveLength(1)
})

it('gives the same chain for the same seed', async () => {
  const heads = await Promise.all(
    [1, 1, 2].map(async (seed) => {
      const timeline = memoryTimeline({ clock: virtualClock(), random: seededRandom(seed) })
      await timeline.append(newFacts(3))
      return (await timeline.head())?.hash
    }),
  )
  expect(heads[0]).toBe(heads[1])
  expect(heads[0]).not.toBe(heads[2])
})
