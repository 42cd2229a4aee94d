import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom, virtualClock } from '../../kernel/std/index.ts'
import { memoryTimeline, openTimeline, type NewFact, type Timeline } from '../../kernel/timeline/index.ts'
import { keepHeadMark, readHeadMark, refuseGone, refuseShortened } from './head-mark.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-mark-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const fact = (number: number): NewFact => ({
  kind: 'house.tested',
  severity: 'info',
  subject: null,
  actor: 'holdfast',
  correlation: null,
  data: { number },
})

async function timelineOf(count: number): Promise<Timeline> {
  const timeline = memoryTimeline({ clock: virtualClock(), random: seededRandom(1) })
  if (count > 0) await timeline.append(Array.from({ length: count }, (_, index) => fact(index)))
  return timeline
}

test('the mark follows the timeline, and the same timeline is not refused', async () => {
  const clock = virtualClock()
  const timeline = await timelineOf(3)
  const end = keepHeadMark(directory, timeline, { clock, log: silent })
  await clock.advance(2000)
  await timeline.append([fact(4)])
  await end()
  const head = await timeline.head()
  expect(readFileSync(join(directory, 'timeline.head'), 'utf8')).toBe(`4:${head?.hash}\n`)
  expect(await readHeadMark(directory)).toEqual({ sequence: 4, hash: head?.hash })
  await timeline.append([fact(5)])
  await expect(refuseShortened(directory, timeline)).resolves.toBeUndefined()
})

test('a timeline without its newest facts is refused, and one with others in their place', async () => {
  const timeline = await timelineOf(5)
  await keepHeadMark(directory, timeline, { clock: virtualClock(), log: silent })()
  await expect(refuseShortened(directory, await timelineOf(3))).rejects.toMatchObject({
    code: 'timeline.corrupt',
    message: expect.stringContaining('missing (2, from 4 on)') as string,
  })
  const other = memoryTimeline({ clock: virtualClock(), random: seededRandom(2) })
  await other.append(Array.from({ length: 6 }, (_, index) => fact(index)))
  await expect(refuseShortened(directory, other)).rejects.toMatchObject({ code: 'timeline.corrupt' })
})

test('a timeline that is gone is refused; without a mark, or with a torn one, nothing is known', async () => {
  await expect(refuseGone(directory)).resolves.toBeUndefined()
  writeFileSync(join(directory, 'timeline.head'), `7:${'a'.repeat(64)}\n`)
  await expect(refuseGone(directory)).rejects.toMatchObject({
    code: 'timeline.corrupt',
    message: expect.stringContaining('it is gone, and once had 7 facts') as string,
  })
  const timeline = await openTimeline({ path: join(directory, 'timeline.db') })
  await expect(refuseGone(directory)).resolves.toBeUndefined()
  await expect(refuseShortened(directory, timeline)).rejects.toMatchObject({ code: 'timeline.corrupt' })
  writeFileSync(join(directory, 'timeline.head'), '7:aa')
  await expect(refuseShortened(directory, timeline)).resolves.toBeUndefined()
  await timeline.close()
})
