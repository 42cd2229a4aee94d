import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { volumeDirectories } from './index.ts'
import { measureDirectory } from './measure-directory.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-volumes-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const volumesHere = (measure = (): Promise<number | null> => Promise.resolve(77)) =>
  volumeDirectories(join(directory, 'volumes'), { remove: () => Promise.resolve(), measure })

test('a volume is made once, and says so', async () => {
  const volumes = volumesHere()
  expect(await volumes.list()).toEqual([])
  expect(await volumes.ensure('uploads')).toBe(true)
  expect(await volumes.ensure('uploads')).toBe(false)
  expect(await volumes.ensure('exports')).toBe(true)
})

test('volumes are listed by name, with their size and since when they are there', async () => {
  const volumes = volumesHere()
  for (const volume of ['uploads', 'exports']) await volumes.ensure(volume)
  mkdirSync(join(directory, 'volumes', 'uploads', 'deep', 'deeper'), { recursive: true })
  writeFileSync(join(directory, 'volumes', 'uploads', 'one'), 'x'.repeat(1000))
  writeFileSync(join(directory, 'volumes', 'uploads', 'deep', 'deeper', 'two'), 'x'.repeat(234))
  writeFileSync(join(directory, 'volumes', 'stray.txt'), 'no volume')
  const [exports, uploads, ...more] = await volumes.list()
  expect(more).toEqual([])
  expect(exports).toMatchObject({ name: 'exports', sizeBytes: 0 })
  expect(uploads).toMatchObject({ name: 'uploads', place: volumes.placeOf('uploads'), sizeBytes: 1234 })
  expect(Math.abs((uploads?.since ?? 0) - performance.timeOrigin - performance.now())).toBeLessThan(60_000)
})

test('a link counts for itself, and leads nowhere', async () => {
  const inside = join(directory, 'inside')
  mkdirSync(inside)
  writeFileSync(join(directory, 'large'), 'x'.repeat(100_000))
  symlinkSync(directory, join(inside, 'round'))
  expect(await measureDirectory(inside)).toBeLessThan(1000)
})

test('too many files to count have no size', async () => {
  for (let index = 0; index < 150; index++) writeFileSync(join(directory, `${index}`), 'x')
  expect(await measureDirectory(directory)).toBe(150)
  expect(await measureDirectory(directory, 149)).toBe(null)
})

test.skipIf(process.getuid?.() === 0)(
  'what may not be looked at is measured by whoever may, if there is one',
  async () => {
    await volumesHere().ensure('uploads')
    const closed = join(directory, 'volumes', 'uploads', 'closed')
    mkdirSync(closed, { mode: 0 })
    expect(await volumesHere().list()).toMatchObject([{ sizeBytes: 77 }])
    expect(await volumesHere(() => Promise.reject(new Error('never heard of it'))).list()).toMatchObject([
      { sizeBytes: null },
    ])
    chmodSync(closed, 0o700)
  },
)
