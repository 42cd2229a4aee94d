import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, type Client } from '../../client/index.ts'
import { systemClock } from '../../kernel/std/index.ts'

const script = join(import.meta.dirname, '../../../test/support/limits/main.ts')

const section = {
  'email.send': '1000000/day per user',
  'day.count': '1000000/day resets 00:00 per user',
  'chat.message': { limit: '1000000/day per user', fast: true },
  'export.run': '2 at once per user',
}

let directory = ''
const children: ChildProcess[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-limits-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) await killed(child)
  await rm(directory, { recursive: true, force: true })
})

async function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await exited
}

async function started(): Promise<{ child: ChildProcess; client: Client }> {
  const child = spawn(process.execPath, [script], {
    env: {
      ...process.env,
      HOLDFAST_DATA: directory,
      HOLDFAST_CONTROL: JSON.stringify({ host: '127.0.0.1', port: 0 }),
      LIMITS_SECTION: JSON.stringify(section),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.push(child)
  for (let tries = 0; tries < 600; tries++) {
    const text = await readFile(join(directory, 'run', 'control.json'), 'utf8').catch(() => '')
    const run = text === '' ? null : (JSON.parse(text) as { pid: number; url: string })
    if (run?.pid === child.pid) {
      const token = (await readFile(join(directory, 'root.token'), 'utf8')).trim()
      return { child, client: createClient({ url: run?.url ?? '', token }) }
    }
    await systemClock.sleep(25)
  }
  throw new Error('control did not start')
}

const by = { user: '1' }

async function used(client: Client, limit: string): Promise<number> {
  const { verdicts } = await client.call('limits.peek', { takes: [{ limit, by }] })
  return 1_000_000 - (verdicts[0]?.remaining ?? 0)
}

/** Takes until the process is gone; counts what was answered. */
async function takeUntilGone(client: Client, limit: string): Promise<number> {
  let answered = 0
  for (;;) {
    try {
      const takes = Array.from({ length: 10 }, () => ({ limit, by }))
      const { verdicts } = await client.call('limits.take', { takes })
      answered += verdicts.filter(({ admitted }) => admitted).length
    } catch {
      return answered
    }
  }
}

test('what was answered is counted after kill -9 under load, and nothing twice', async () => {
  const totals = { 'email.send': 0, 'day.count': 0, 'chat.message': 0 }
  const asked = { 'email.send': 0, 'day.count': 0, 'chat.message': 0 }
  const names = Object.keys(totals) as (keyof typeof totals)[]
  for (const afterMs of [150, 300, 500]) {
    const { child, client } = await started()
    const workers = names.flatMap((name) => [1, 2, 3].map(() => takeUntilGone(client, name)))
    await systemClock.sleep(afterMs)
    await killed(child)
    const answered = await Promise.all(workers)
    names.forEach((name, index) => {
      const sum = answered.slice(index * 3, index * 3 + 3).reduce((total, each) => total + each, 0)
      totals[name] += sum
      // Each of the three had at most one call under way that was not answered.
      asked[name] += sum + 30
    })
  }
  const { client } = await started()
  expect(totals['email.send']).toBeGreaterThan(100)
  for (const name of ['email.send', 'day.count'] as const) {
    // A rate of 1,000,000 a day gives twelve units back each second.
    const backAtMost = name === 'day.count' ? 0 : 200
    expect(await used(client, name)).toBeGreaterThanOrEqual(totals[name] - backAtMost)
    expect(await used(client, name)).toBeLessThanOrEqual(asked[name])
  }
  expect(await used(client, 'chat.message')).toBeGreaterThanOrEqual(totals['chat.message'] - 3 * 1000 - 200)
  expect(await used(client, 'chat.message')).toBeLessThanOrEqual(asked['chat.message'])
}, 120_000)

test('reservations and ids survive a kill, and an orderly stop leaves a snapshot', async () => {
  const first = await started()
  const take = { takes: [{ limit: 'day.count', by, cost: 5, id: 'mail-1' }] }
  await first.client.call('limits.take', take)
  for (const id of ['a', 'b']) {
    await first.client.call('limits.reserve', { limit: 'export.run', by, id, leaseMs: 600_000 })
  }
  await killed(first.child)
  const second = await started()
  expect(await used(second.client, 'day.count')).toBe(5)
  await second.client.call('limits.take', take)
  expect(await used(second.client, 'day.count')).toBe(5)
  const third = { limit: 'export.run', by, id: 'c' }
  expect(await second.client.call('limits.reserve', third)).toMatchObject({ admitted: false })
  await second.client.call('limits.commit', { id: 'a' })
  expect(await second.client.call('limits.reserve', third)).toMatchObject({ admitted: true })
  await killed(second.child, 'SIGTERM')
  const last = await started()
  expect(await used(last.client, 'day.count')).toBe(5)
  await last.client.call('limits.take', take)
  expect(await used(last.client, 'day.count')).toBe(5)
  expect(await last.client.call('limits.cancel', { id: 'b' })).toEqual({ cancelled: true })
  expect(await last.client.call('limits.cancel', { id: 'a' })).toEqual({ cancelled: false })
}, 120_000)

test('takes that are lost with the -wal after kill -9 are named, and takes go on', async () => {
  const first = await started()
  for (let times = 0; times < 3; times++) {
    await first.client.call('limits.take', {
      takes: [
        { limit: 'day.count', by },
        { limit: 'email.send', by },
      ],
    })
  }
  await killed(first.child)
  await rm(join(directory, 'limits.db-wal'))
  const second = await started()
  const { facts } = await second.client.call('timeline.read', { kind: 'limits.forgotten' })
  expect(facts).toMatchObject([{ severity: 'warning', data: { entries: 6 } }])
  expect(await used(second.client, 'day.count')).toBe(0)
  await second.client.call('limits.take', { takes: [{ limit: 'day.count', by }] })
  await killed(second.child)
  const third = await started()
  expect(await used(third.client, 'day.count')).toBe(1)
  const again = await third.client.call('timeline.read', { kind: 'limits.forgotten' })
  expect(again.facts).toHaveLength(1)
}, 120_000)

test('a damaged journal is said and left alone; everything else of control goes on', async () => {
  const first = await started()
  await first.client.call('limits.take', { takes: [{ limit: 'day.count', by }] })
  await killed(first.child, 'SIGTERM')
  const path = join(directory, 'limits.db')
  const file = await open(path, 'r+')
  await file.write(Buffer.alloc(600, 7), 0, 600, 8192)
  await file.close()
  const damaged = await readFile(path)
  const second = await started()
  const take = second.client.call('limits.take', { takes: [{ limit: 'day.count', by }] })
  await expect(take).rejects.toMatchObject({ code: 'limits.journal-corrupt' })
  expect(await second.client.call('access.whoami', {})).toMatchObject({ actor: 'root' })
  await killed(second.child, 'SIGTERM')
  expect((await readFile(path)).equals(damaged)).toBe(true)
  await writeFile(path, '')
  const third = await started()
  const again = third.client.call('limits.take', { takes: [{ limit: 'day.count', by }] })
  await expect(again).rejects.toMatchObject({ code: 'limits.journal-corrupt' })
}, 120_000)
