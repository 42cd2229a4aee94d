import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { virtualClock } from '../../std/index.ts'
import { keepSnapshotFile, readSnapshotFile, snapshotEveryMs } from '../index.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-snapshot-'))
})
afterEach(() => rm(directory, { recursive: true }))

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const textOf = async (path: string): Promise<string | null> => {
  const found = await readSnapshotFile(path)
  return found === null ? null : Buffer.from(found).toString()
}

test('is written for its owner in each beat in which something was taken, and at the end', async () => {
  const clock = virtualClock()
  const path = join(directory, 'limits')
  const next: string[] = []
  const save = vi.fn(() => {
    const text = next.shift()
    return text === undefined ? null : bytes(text)
  })
  const stop = keepSnapshotFile(path, { clock, save, failed: () => undefined })
  expect(await textOf(path)).toBe(null)
  next.push('one')
  await clock.advance(snapshotEveryMs)
  await vi.waitFor(async () => expect(await textOf(path)).toBe('one'))
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  next.push('two')
  await stop()
  expect(await textOf(path)).toBe('two')
  const calls = save.mock.calls.length
  await clock.advance(10 * snapshotEveryMs)
  expect(save.mock.calls.length).toBe(calls)
  expect(await readdir(directory)).toEqual(['limits'])
})

test('a write that fails is said once and made up for', async () => {
  const clock = virtualClock()
  const path = join(directory, 'later', 'limits')
  const next = [bytes('one')]
  const failed = vi.fn()
  const stop = keepSnapshotFile(path, { clock, save: () => next.shift() ?? null, failed })
  await clock.advance(snapshotEveryMs)
  await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1))
  await clock.advance(snapshotEveryMs)
  await mkdir(join(directory, 'later'))
  await stop()
  expect(failed).toHaveBeenCalledTimes(1)
  expect(await textOf(path)).toBe('one')
})
