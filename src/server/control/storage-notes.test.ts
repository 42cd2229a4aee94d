import { expect, test } from 'vitest'
import { HoldfastError, seededRandom, virtualClock } from '../../kernel/std/index.ts'
import { memoryTimeline, type Timeline } from '../../kernel/timeline/index.ts'
import { watchStorage } from './storage-notes.ts'

const full = (code: string): HoldfastError =>
  new HoldfastError({ code, kind: 'operational', message: 'no space', hint: 'free some' })

function stage() {
  const clock = virtualClock()
  const disk = { free: 2 ** 30, failing: false }
  const storage = watchStorage('/data', clock, () => Promise.resolve(disk.free))
  const inner = memoryTimeline({ clock, random: seededRandom(1) })
  const failing: Timeline = {
    ...inner,
    append: (facts) => (disk.failing ? Promise.reject(full('timeline.disk-full')) : inner.append(facts)),
  }
  return { clock, disk, storage, timeline: storage.watch(failing) }
}

test('says that there is little room, and stops saying it', async () => {
  const { clock, disk, storage } = stage()
  await clock.advance(5000)
  expect(storage.notes()).toEqual([])
  disk.free = 1024
  await clock.advance(5000)
  expect(storage.notes()).toEqual([expect.stringContaining('1.0 KiB are free (data.disk-full)')])
  disk.free = 2 ** 30
  await clock.advance(5000)
  expect(storage.notes()).toEqual([])
  storage.stop()
})

test('says what the timeline refused until it takes facts again', async () => {
  const { disk, storage, timeline } = stage()
  disk.free = 0
  disk.failing = true
  await expect(timeline.append([])).rejects.toMatchObject({ code: 'timeline.disk-full' })
  expect(storage.notes()[0]).toBe('no space (timeline.disk-full); free some')
  disk.failing = false
  await timeline.append([])
  expect(storage.notes().join()).not.toContain('timeline.disk-full')
})

test('without another append, room on the disk ends it', async () => {
  const { clock, disk, storage, timeline } = stage()
  disk.free = 0
  disk.failing = true
  await expect(timeline.append([])).rejects.toThrow()
  storage.failed('series', full('series.unwritable'))
  await clock.advance(5000)
  expect(storage.notes()).toHaveLength(3)
  disk.free = 2 ** 30
  await clock.advance(5000)
  expect(storage.notes()).toEqual([])
})

test('a store that does not say when it is well again is believed for a minute', async () => {
  const { clock, storage } = stage()
  storage.failed('series', full('series.corrupt'))
  await clock.advance(50_000)
  expect(storage.notes()).toHaveLength(1)
  await clock.advance(11_000)
  expect(storage.notes()).toEqual([])
})
