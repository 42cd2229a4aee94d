import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { seededRandom, virtualClock } from '../../std/index.ts'
import { openTimeline } from '../index.ts'
import { newFacts } from '../conformance/facts.ts'
import { timelineConformance } from '../conformance/timeline.conformance.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-timeline-'))
let files = 0
const freshPath = (): string => join(folder, `${files++}`, 'timeline.db')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

timelineConformance({
  name: 'SQLite',
  make: async (clock) => await openTimeline({ path: freshPath(), clock, random: seededRandom(3) }),
})

it('is there again after it was closed, checkpoints and time included', async () => {
  const path = freshPath()
  const first = await openTimeline({ path })
  const facts = await first.append(newFacts(200))
  await first.saveCheckpoint('a@1', { sequence: 150, state: { x: 1 } })
  await first.close()
  const second = await openTimeline({ path, clock: virtualClock(0), readers: 2 })
  expect(await second.read({ limit: 1000 })).toEqual(facts)
  expect(await second.loadCheckpoint('a@1')).toEqual({ sequence: 150, state: { x: 1 } })
  const [next] = await second.append(newFacts(1))
  expect(next).toMatchObject({ sequence: 201, at: facts.at(-1)?.at })
  expect((await second.verify()).broken).toBeNull()
  await second.close()
})

it('refuses what does not fit into its queue, and goes on', async () => {
  const timeline = await openTimeline({ path: freshPath(), maxWaitingFacts: 100 })
  const results = await Promise.allSettled([
    timeline.append(newFacts(60)),
    timeline.append(newFacts(60)),
    timeline.append(newFacts(40)),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: { code: 'timeline.full' } })
  expect(await timeline.append(newFacts(100))).toHaveLength(100)
  expect((await timeline.head())?.sequence).toBe(200)
  await timeline.close()
})

it('commits appends of one turn and those that come meanwhile together, in order', async () => {
  const timeline = await openTimeline({ path: freshPath() })
  const heard: number[] = []
  timeline.onAppended((facts) => heard.push(facts.length))
  const appended = await Promise.all(Array.from({ length: 5000 }, () => timeline.append(newFacts(1))))
  expect(appended.map(([fact]) => fact?.sequence)).toEqual(
    Array.from({ length: 5000 }, (_, index) => index + 1),
  )
  expect(heard.reduce((sum, count) => sum + count, 0)).toBe(5000)
  expect(heard.length).toBeLessThan(20)
  await timeline.close()
})

it('finishes what was begun when it is closed', async () => {
  const path = freshPath()
  const timeline = await openTimeline({ path })
  const appending = timeline.append(newFacts(50))
  await timeline.close()
  expect(await appending).toHaveLength(50)
  const again = await openTimeline({ path })
  expect((await again.head())?.sequence).toBe(50)
  await again.close()
})

it('does not tear a batch in two when something else is asked in between', async () => {
  const timeline = await openTimeline({ path: freshPath() })
  const results = await Promise.all([
    timeline.append(newFacts(40)),
    timeline.saveCheckpoint('a@1', { sequence: 0, state: {} }),
    timeline.append(newFacts(40)),
    timeline.erase(1),
    timeline.append(newFacts(1)),
  ])
  expect(results[0]).toHaveLength(40)
  expect(results[3]).toBe(true)
  expect(await timeline.verify()).toMatchObject({ checked: 81, broken: null })
  await timeline.close()
})
