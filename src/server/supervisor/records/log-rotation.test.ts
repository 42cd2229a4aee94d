import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock, virtualClock } from '../../../kernel/std/index.ts'
import { startLogRotation } from './log-rotation.ts'

const MIB = 2 ** 20
const rule = { sizeBytes: 4 * MIB, files: 3 }

let directory = ''
let place = ''
let writer: ChildProcess | null = null
let stop = (): void => undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-rotation-'))
  place = join(directory, 'web')
  mkdirSync(place)
})
afterEach(() => {
  stop()
  writer?.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

const failures: unknown[] = []
const attempt = (_path: string, work: () => void): void => {
  try {
    work()
  } catch (error) {
    failures.push(error)
  }
}
const totalBytes = (): number =>
  readdirSync(place).reduce(
    (sum, name) => sum + (statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )

/** Appends blocks of 64 KiB, some each millisecond, and ends after so many in all. */
const script = `
  const { writeSync } = require('node:fs')
  const [perMs, blocks] = process.argv.slice(1).map(Number)
  const block = Buffer.alloc(65536, 'x')
  const startMs = performance.now()
  let done = 0
  const turn = () => {
    const due = Math.min(blocks, (performance.now() - startMs) * perMs)
    for (; done < due; done++) writeSync(1, block)
    if (done < blocks) setTimeout(turn, 1)
  }
  turn()`

async function writeAndWatch(perMs: number, blocks: number): Promise<{ mostBytes: number; code: unknown }> {
  const log = openSync(join(place, '1.log'), 'a')
  writer = spawn(process.execPath, ['-e', script, String(perMs), String(blocks)], {
    stdio: ['ignore', log, 'inherit'],
  })
  closeSync(log)
  let mostBytes = 0
  const endWatch = systemClock.every(2, () => (mostBytes = Math.max(mostBytes, totalBytes())))
  const [code] = (await once(writer, 'exit')) as [unknown]
  endWatch()
  return { mostBytes, code }
}

test('a service that writes 50 MB each second keeps within the bound', async () => {
  stop = startLogRotation({ clock: systemClock, directory, rule, attempt })
  const { mostBytes, code } = await writeAndWatch(0.8, 3200)
  expect(code).toBe(0)
  // 200 MB were written. The log and its copies (4 + 12 MiB), the copy in the making (8 at most), and what the writer
  // adds while nobody looks: 5 MB by right, and half a second more for a machine that is busy with other tests.
  expect(mostBytes).toBeLessThan((16 + 8 + 5 + 25) * MIB)
  expect(failures).toEqual([])
})

test('a service that writes as fast as it can does not fill the disk', async () => {
  stop = startLogRotation({ clock: systemClock, directory, rule, attempt })
  const { mostBytes, code } = await writeAndWatch(1000, 32_768)
  expect(code).toBe(0)
  // 2 GiB were written, at some GB each second.
  expect(mostBytes).toBeLessThan(1024 * MIB)
  await vi.waitFor(() => expect(totalBytes()).toBeLessThan((4 + 12) * MIB + 4096), 5000)
  expect(failures).toEqual([])
})

test('one that cannot be rotated is tried again after two seconds, not at each look', async () => {
  const clock = virtualClock()
  let tries = 0
  mkdirSync(join(place, '1.log.0'))
  appendFileSync(join(place, '1.log'), 'x'.repeat(150))
  const counted = (path: string, work: () => void): void => {
    try {
      work()
    } catch {
      if (path.endsWith('.log')) tries++
    }
  }
  stop = startLogRotation({ clock, directory, rule: { sizeBytes: 100, files: 3 }, attempt: counted })
  await clock.advance(1900)
  expect(tries).toBe(1)
  await clock.advance(4000)
  expect(tries).toBe(3)
})

test('logs that are gone are forgotten, and after the stop nothing is looked at', async () => {
  const clock = virtualClock()
  const looked: string[] = []
  const noting = (path: string, work: () => void): void => {
    looked.push(path)
    attempt(path, work)
  }
  const log = join(place, '1.log')
  appendFileSync(log, 'x')
  stop = startLogRotation({ clock, directory, rule, attempt: noting })
  await clock.advance(100)
  expect(looked).toContain(log)
  rmSync(log)
  looked.length = 0
  await clock.advance(100)
  expect(looked).toEqual([directory])
  stop()
  looked.length = 0
  await clock.advance(1000)
  expect(looked).toEqual([])
})
