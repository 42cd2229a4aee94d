import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { createClient } from '../src/client/index.ts'
import type { BenchResult, Figure } from './harness.ts'

const seconds = 5
const warmUpSeconds = 2
const connections = 64
const batch = 20
/** Clock ticks of a second in /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

interface Load {
  readonly takesPerSecond: number
  /** For each second of processor time that the server used, its threads together. */
  readonly perCore: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * `limits.take` over HTTP with 64 keep-alive connections, one take a request and twenty, durable (answered after the
 * fsync: SQLite, WAL, synchronous=FULL, group commit) and `fast`. Peers on the same machine: SQLite that inserts and
 * fsyncs one row after the other, which is what a durable count without group commit costs; and a bare fastify that
 * echoes the same body, which is what the door alone costs. Client and server share the machine.
 */
export async function run(): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), 'app-limits-bench-'))
  const child = startControl(directory)
  try {
    const door = await connect(directory, child)
    const bare = bareSqlite(directory)
    const echo = await measureEcho()
    const single = await measure(door, { limit: 'durable.take', size: 1 })
    const many = await measure(door, { limit: 'durable.take', size: batch })
    const fast = await measure(door, { limit: 'fast.take', size: 1 })
    const fastMany = await measure(door, { limit: 'fast.take', size: batch })
    return {
      bench: 'app-limits',
      figures: [
        ...figures('durable, 1 take a request', single),
        ...figures(`durable, ${batch} takes a request`, many),
        ...figures('fast, 1 take a request', fast),
        ...figures(`fast, ${batch} takes a request`, fastMany),
        ...peers(bare, echo, single),
      ],
    }
  } finally {
    child.kill('SIGKILL')
    await delay(200)
    rmSync(directory, { recursive: true, force: true })
  }
}

function figures(what: string, load: Load): Figure[] {
  return [
    { name: `${what}: takes`, value: load.takesPerSecond, unit: '/s' },
    { name: `${what}: takes per core`, value: load.perCore, unit: '/s' },
    { name: `${what}: p50`, value: load.p50Ms, unit: 'ms' },
    { name: `${what}: p99`, value: load.p99Ms, unit: 'ms' },
  ]
}

function peers(bare: number, echo: Load, single: Load): Figure[] {
  const ratio = single.perCore / echo.perCore
  const peer = { peer: 'durable, 1 take', peerValue: single.perCore, ratio }
  return [
    { name: 'SQLite insert + fsync, one after the other', value: bare, unit: '/s' },
    { name: 'bare fastify echo: requests per core', value: echo.perCore, unit: '/s', ...peer },
    { name: 'bare fastify echo: p99', value: echo.p99Ms, unit: 'ms' },
  ]
}

function startControl(directory: string): ChildProcess {
  const main = fileURLToPath(new URL('../test/support/limits/main.ts', import.meta.url))
  const section = {
    'durable.take': '1000000/day per user',
    'fast.take': { limit: '1000000/day per user', fast: true },
  }
  return spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      HOLDFAST_DATA: directory,
      HOLDFAST_CONTROL: JSON.stringify({ host: '127.0.0.1', port: 0 }),
      LIMITS_SECTION: JSON.stringify(section),
    },
  })
}

interface Connected {
  readonly url: string
  readonly token: string
  readonly pid: number
}

/** The application's token, with the role `use`. */
async function connect(directory: string, child: ChildProcess): Promise<Connected> {
  const file = join(directory, 'run', 'control.json')
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error('control did not start')
    await delay(50)
  }
  const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string }
  const root = readFileSync(join(directory, 'root.token'), 'utf8').trim()
  const client = createClient({ url, token: root })
  const { token } = await client.call('access.create-token', { name: 'bench', role: 'use' })
  return { url, token, pid: child.pid ?? 0 }
}

/** Rows per second, each with its own fsync. */
function bareSqlite(directory: string): number {
  const db = new DatabaseSync(join(directory, 'bare.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE takes (key TEXT, at INTEGER)')
  const insert = db.prepare('INSERT INTO takes VALUES (?, ?)')
  const end = performance.now() + 2000
  let rows = 0
  for (; performance.now() < end; rows++) insert.run(`user:${rows % 1000}`, rows)
  db.close()
  return rows / 2
}

interface Request {
  readonly pid: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: () => string
  readonly takes: number
}

async function measure({ url, token, pid }: Connected, load: { limit: string; size: number }): Promise<Load> {
  let number = 0
  const take = () => ({ limit: load.limit, by: { user: String(number++ % 1000) } })
  const body = () => JSON.stringify({ takes: Array.from({ length: load.size }, take) })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return drive(url, { pid, path: '/ops/limits.take', headers, body, takes: load.size })
}

const echoScript = `
import { fastify } from 'fastify'
const app = fastify()
app.post('/echo', async (request) => request.body)
process.stdout.write(await app.listen({ port: 0, host: '127.0.0.1' }))
`

async function measureEcho(): Promise<Load> {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const child = spawn(process.execPath, ['--input-type=module', '-e', echoScript], { cwd })
  try {
    const [url] = (await once(child.stdout, 'data')) as [Buffer]
    const body = () => '{"takes":[{"limit":"durable.take","by":{"user":"1"}}]}'
    const headers = { 'content-type': 'application/json' }
    return await drive(url.toString(), { pid: child.pid ?? 0, path: '/echo', headers, body, takes: 1 })
  } finally {
    child.kill('SIGKILL')
  }
}

/** Processor time that a process has used, all threads, seconds; NaN where there is no /proc. */
function processorSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

/** Every connection asks again as soon as it is answered. */
async function drive(url: string, { pid, path, headers, body, takes }: Request): Promise<Load> {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const from = performance.now() + warmUpSeconds * 1000
  const end = from + seconds * 1000
  const latencies: number[] = []
  const used = { before: Number.NaN }
  const noted = delay(warmUpSeconds * 1000).then(() => (used.before = processorSeconds(pid)))
  const ask = async (): Promise<void> => {
    for (let begun = performance.now(); begun < end; begun = performance.now()) {
      const answer = await pool.request({ path, method: 'POST', headers: { ...headers }, body: body() })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${text.slice(0, 200)}`)
      if (begun >= from) latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: connections }, ask))
  await noted
  const coreSeconds = processorSeconds(pid) - used.before
  await pool.close()
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  const all = latencies.length * takes
  return { takesPerSecond: all / seconds, perCore: all / coreSeconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}
