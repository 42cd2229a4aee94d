import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLimiter, parseLimit, readSnapshotFile } from '../../../../../kernel/limit/index.ts'
import { seededRandom, systemClock, virtualClock } from '../../../../../kernel/std/index.ts'
import { limitCapacity } from '../../shared/index.ts'
import { beginLimits, createTableKeeper, mostTableBytes, type Beginning } from './index.ts'

let directory: string
let path: string
let said: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-table-'))
  path = join(directory, 'limits.table')
  said = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const policy = { limits: [{ name: 'a', rule: '3/hour per ip' }], limiterCapacity: 1000 }
const startMs = Date.UTC(2026, 0, 1)

/** What a process does: it begins, one key takes, and it ends in good order. Answers with what was said to each take. */
async function live(
  nowMs: number,
  takes: number,
  capacity = 1000,
): Promise<{ readonly waits: readonly number[]; readonly beginning: Beginning }> {
  const say = (message: string): void => void said.push(message)
  const table = { path, read: () => readSnapshotFile(path, mostTableBytes), say }
  const parts = { clock: virtualClock(nowMs), random: seededRandom(nowMs), table }
  const beginning = await beginLimits(parts, { ...policy, limiterCapacity: capacity })
  const { seed, timeOriginMs } = beginning
  const limits = policy.limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) }))
  const limiter = createLimiter({ limits, capacity, seed, limitCapacity, ...beginning.table })
  const waits = Array.from({ length: takes }, () => limiter.takeText(0, '203.0.113.7', timeOriginMs))
  // The thread keeps by the machine's monotonic time.
  const keptOriginMs = timeOriginMs - systemClock.monotonicMs()
  const keeper = createTableKeeper({ path, seed, timeOriginMs: keptOriginMs, clock: systemClock, say })
  keeper.keep(limiter.buffer)
  await keeper.end()
  return { waits, beginning }
}

test('goes on where the process before was, and time goes on from there although the clock was set back a little', async () => {
  expect((await live(startMs, 4)).waits).toEqual([0, 0, 0, expect.any(Number)])
  const { waits, beginning } = await live(startMs - 60_000, 1)
  expect(waits).not.toEqual([0])
  expect(beginning.timeOriginMs).toBeGreaterThanOrEqual(startMs)
  expect((await live(startMs + 1_300_000, 2)).waits).toEqual([0, expect.any(Number)])
  expect(said).toEqual([])
})

test('a clock that was far ahead does not keep time there, and frees nobody when it is set right', async () => {
  await live(startMs + 400 * 86_400_000, 4)
  const { waits, beginning } = await live(startMs, 1)
  expect(beginning.timeOriginMs).toBe(startMs)
  expect(waits).not.toEqual([0])
  expect((await live(startMs + 3_700_000, 1)).waits).toEqual([0])
})

test('begins anew and says why when the file is of another capacity, cut, or larger than any', async () => {
  await live(startMs, 4)
  expect((await live(startMs, 1, 5000)).waits).toEqual([0])
  expect(said).toEqual([expect.stringContaining('it has another capacity')])
  writeFileSync(path, Buffer.alloc(mostTableBytes + 4, 'SSLH'))
  expect((await live(startMs, 1)).beginning.table).toBeNull()
  expect(said).toHaveLength(2)
})

test('a disk that takes nothing is said, and nobody waits for it', async () => {
  path = join(directory, 'nowhere', 'limits.table')
  expect((await live(startMs, 3)).waits).toEqual([0, 0, 0])
  expect(said).toEqual([expect.stringContaining('cannot be kept on disk')])
})
