import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock, virtualClock } from '../../../kernel/std/index.ts'
import { openEventLog } from './event-log.ts'

let directory = ''
let file = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-events-'))
  file = join(directory, 'events.jsonl')
})
afterEach(() => rmSync(directory, { recursive: true }))

const numbers = (events: readonly { number: number }[]): number[] => events.map(({ number }) => number)
const never = new AbortController().signal

async function write(count: number): Promise<void> {
  const log = openEventLog(file, virtualClock())
  for (let index = 0; index < count; index++) log.record({ what: 'replica-started', subject: `web/${index}` })
  await log.close()
}

test('numbers go on without a gap over restarts', async () => {
  await write(3)
  await write(2)
  const log = openEventLog(file, virtualClock())
  expect(numbers(log.after(0, 100))).toEqual([1, 2, 3, 4, 5])
  expect(numbers(log.after(3, 1))).toEqual([4])
  expect(log.after(5, 10)).toEqual([])
  expect(log.newest()).toBe(5)
})

test('an asker whose number is beyond the newest reads from the start', async () => {
  await write(2)
  expect(numbers(openEventLog(file, virtualClock()).after(57, 10))).toEqual([1, 2])
})

test('a torn last line is dropped and its number given again', async () => {
  await write(3)
  truncateSync(file, readFileSync(file).length - 10)
  const log = openEventLog(file, virtualClock())
  expect(log.newest()).toBe(2)
  expect(log.note()).toBeNull()
  log.record({ what: 'supervisor-started', subject: 'supervisor' })
  await log.close()
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(3)
  expect(numbers(openEventLog(file, virtualClock()).after(0, 10))).toEqual([1, 2, 3])
})

test('broken lines are left out and told', async () => {
  await write(1)
  appendFileSync(file, 'garbage\n{"number":2}\n')
  const log = openEventLog(file, virtualClock())
  expect(numbers(log.after(0, 10))).toEqual([1])
  expect(log.note()).toContain('2 lines')
})

test('only the newest are kept, in the file too', async () => {
  const log = openEventLog(file, virtualClock(), { events: 10, sizeBytes: 2 ** 20 })
  for (let index = 0; index < 100; index++) {
    log.record({ what: 'replica-started', subject: 'web/1' })
    await log.changed(1000, never)
  }
  await log.close()
  const kept = numbers(log.after(0, 1000))
  expect(kept.length).toBeLessThanOrEqual(12)
  expect(kept.at(-1)).toBe(100)
  expect(readFileSync(file, 'utf8').trim().split('\n').length).toBeLessThanOrEqual(13)
})

test('the bound in bytes holds too', async () => {
  const log = openEventLog(file, virtualClock(), { events: 1000, sizeBytes: 5000 })
  const lastLines = ['x'.repeat(400)]
  for (let index = 0; index < 50; index++)
    log.record({ what: 'replica-crashed', subject: 'web/1', lastLines })
  await log.close()
  expect(log.after(0, 100).length).toBeLessThan(12)
  expect(log.newest()).toBe(50)
})

test('a waiter is woken by the next event', async () => {
  const log = openEventLog(file, systemClock)
  const woken = log.changed(20_000, never)
  log.record({ what: 'replica-started', subject: 'web/1' })
  await woken
  expect(log.newest()).toBe(1)
  await log.close()
})

test('when the file cannot be written events are told from memory, and the file is whole once it can', async () => {
  const elsewhere = `${directory}-away`
  renameSync(directory, elsewhere)
  const log = openEventLog(file, systemClock)
  log.record({ what: 'replica-started', subject: 'web/1' })
  await log.changed(5000, never)
  expect(numbers(log.after(0, 10))).toEqual([1])
  expect(log.note()).toContain('events are not on disk')
  renameSync(elsewhere, directory)
  log.record({ what: 'replica-started', subject: 'web/2' })
  await log.close()
  expect(log.note()).toBeNull()
  expect(numbers(openEventLog(file, systemClock).after(0, 10))).toEqual([1, 2])
})
