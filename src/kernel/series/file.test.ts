import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { virtualClock, type HoldfastError } from '../std/index.ts'
import { measured, measuredAll, openSeries, quantileOf } from './index.ts'

const key = { name: 'edge.latency-ms', labels: { route: '/*' } }
const clock = virtualClock()
const now = clock.now()
const lastMinute = { name: key.name, from: now - 60_000, to: now + 1 }
let directory = ''
let path = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'series-'))
  path = join(directory, 'series.sqlite')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function fill(count = 1): Promise<void> {
  const series = await openSeries({ path, clock })
  for (let index = 0; index < count; index++) {
    const labels = { route: `/${index}` }
    series.record({ name: key.name, labels }, 'distribution', measuredAll(now, [1, 2, 300]))
  }
  await series.close()
}

describe('a store in a file', () => {
  test('brings back what was flushed', async () => {
    const first = await openSeries({ path, clock })
    first.record(key, 'distribution', measuredAll(now, [1, 2, 300]))
    first.record(key, 'distribution', measuredAll(now - 5000, [7]))
    await first.close()
    const second = await openSeries({ path, clock })
    expect(await second.list()).toEqual([key])
    second.record(key, 'distribution', measuredAll(now, [5]))
    const [answer] = await second.query(lastMinute)
    expect(answer).toMatchObject({ key, kind: 'distribution', stepMs: 1000 })
    expect(answer?.points.map(({ at, count, sum }) => [now - at, count, sum])).toEqual([
      [5000, 1, 7],
      [0, 4, 308],
    ])
    const last = answer?.points.at(-1)
    expect(last === undefined ? null : quantileOf(last, 1)).toBe(300)
    await second.close()
  })

  test('flushes by itself', async () => {
    const own = virtualClock()
    const series = await openSeries({ path, clock: own, flushEveryMs: 1000 })
    series.record(key, 'gauge', measured(own.now(), 1))
    await own.advance(1000)
    await series.query(lastMinute)
    const sizeBytes = statSync(path).size + statSync(`${path}-wal`).size
    series.record(key, 'gauge', measured(own.now(), 2))
    await own.advance(1000)
    await series.query(lastMinute)
    expect(statSync(path).size + statSync(`${path}-wal`).size).toBeGreaterThan(sizeBytes)
    await series.close()
  })

  test('is refused while another one has it open', async () => {
    const first = await openSeries({ path, clock })
    await expect(openSeries({ path, clock })).rejects.toMatchObject({ code: 'series.unwritable' })
    await first.close()
    await (await openSeries({ path, clock })).close()
  })
})

describe('a file that cannot be used', () => {
  test('that is no database is corrupt, and is left as it is', async () => {
    writeFileSync(path, 'these are not measurements'.repeat(1000))
    const error = await openSeries({ path, clock }).catch((failure: unknown) => failure as HoldfastError)
    expect(error).toMatchObject({ code: 'series.corrupt', kind: 'operational' })
    expect((error as HoldfastError).hint).toContain('move the file away')
    expect(readFileSync(path, 'utf8')).toMatch(/^these are not/)
  })

  test('with damaged pages is corrupt', async () => {
    await fill(300)
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 8192, bytes.length)
    writeFileSync(path, bytes)
    await expect(openSeries({ path, clock })).rejects.toMatchObject({ code: 'series.corrupt' })
  })

  test('with a damaged block says so when it is read, and goes on measuring the others', async () => {
    await fill(2)
    const database = new DatabaseSync(path)
    database.exec("UPDATE blocks SET data = x'07' WHERE slot = 0")
    database.close()
    const troubles: string[] = []
    const series = await openSeries({ path, clock, onTrouble: ({ code }) => troubles.push(code) })
    await expect(series.query(lastMinute)).rejects.toMatchObject({ code: 'series.corrupt' })
    for (const route of ['/0', '/1'])
      series.record({ name: key.name, labels: { route } }, 'gauge', measured(now, 1))
    const [answer] = await series.query({ ...lastMinute, labels: { route: '/1' } })
    expect(answer?.points[0]?.count).toBe(4)
    expect(troubles).toEqual(['series.corrupt'])
    await series.close()
  })

  test('of another program or of a newer Holdfast is refused', async () => {
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE accounts (id INTEGER)')
    other.close()
    await expect(openSeries({ path, clock })).rejects.toMatchObject({ code: 'series.corrupt' })
    rmSync(path)
    await fill()
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await expect(openSeries({ path, clock })).rejects.toMatchObject({ code: 'series.newer', kind: 'user' })
  })

  test('in a directory that does not exist is unwritable', async () => {
    const attempt = openSeries({ path: join(directory, 'missing', 'series.sqlite'), clock })
    await expect(attempt).rejects.toMatchObject({ code: 'series.unwritable' })
  })

  test.skipIf(process.getuid?.() === 0)(
    'that may not be written is unwritable (needs another user than root)',
    async () => {
      await fill()
      chmodSync(path, 0o400)
      await expect(openSeries({ path, clock })).rejects.toMatchObject({ code: 'series.unwritable' })
    },
  )
})
