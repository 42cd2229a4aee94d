import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Severity } from '../src/kernel/std/index.ts'
import { openTimeline, type FactQuery, type NewFact, type Timeline } from '../src/kernel/timeline/index.ts'
import { interleaved, median, type BenchResult, type Figure } from './harness.ts'
import { openBare } from './timeline/bare.ts'
import { buildLargeTimeline, largeQueries } from './timeline/large.ts'

const rounds = 5
const roundMs = 1000
const callers = [1, 64, 512]

/** Facts of the read bench; `HOLDFAST_BENCH_FACTS=1000000` makes a quick run of it. */
const facts = Number(process.env['HOLDFAST_BENCH_FACTS'] ?? 10_000_000)

/** Where the databases of a run lie: on a disk, as /tmp may be memory. */
function workFolder(): string {
  return mkdtempSync(join(process.env['HOLDFAST_BENCH_DIR'] ?? tmpdir(), 'holdfast-bench-timeline-'))
}

/** The timeline: durable appends against bare SQLite, and filtered reads from ten million facts. */
export async function run(): Promise<BenchResult> {
  const folder = workFolder()
  try {
    const figures: Figure[] = []
    for (const count of callers) figures.push(...(await appendFigures(folder, count)))
    figures.push(...(await readFigures(folder)))
    return { bench: 'timeline', figures }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A store that takes one record at a time from each of many callers. */
interface Store {
  append(index: number): Promise<unknown>
  close(): Promise<void>
}

/**
 * Appends per second from so many concurrent callers, each waiting until its record is on disk before the next.
 * The peer does the same with the same group commit: what came while a transaction ran goes into the next one. Once
 * behind a thread, as the timeline is, and once on the caller's own, which then stands still while the disk works.
 */
async function appendFigures(folder: string, count: number): Promise<readonly Figure[]> {
  const stores = {
    timeline: await timelineStore(folder),
    thread: bareThread(folder),
    inline: bareInline(folder),
  }
  const contestants = {
    timeline: async () => await throughput(stores.timeline, count),
    thread: async () => await throughput(stores.thread, count),
    inline: async () => await throughput(stores.inline, count),
  }
  // A house runs for months, so nobody is measured while its code is still being compiled.
  await interleaved(contestants, 1)
  const measured = await interleaved(contestants, rounds)
  for (const store of Object.values(stores)) await store.close()
  const sqlite = `bare SQLite ${sqliteVersion()}`
  const who = count === 1 ? '1 caller' : `${count} callers`
  const against = (peer: string, peerValue: number): Omit<Figure, 'name'> => ({
    value: measured.timeline,
    unit: 'facts/s',
    peer,
    peerValue,
    ratio: measured.timeline / peerValue,
    limit: 'at least 0.7x',
  })
  return [
    { name: `durable appends, ${who}`, ...against(`${sqlite} in a thread`, measured.thread) },
    {
      name: `durable appends, ${who}, peer blocks its caller`,
      ...against(`${sqlite} in the calling thread`, measured.inline),
    },
  ]
}

async function throughput(store: Store, count: number): Promise<number> {
  let done = 0
  const begin = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() - begin < roundMs) await store.append(done++)
  }
  await Promise.all(Array.from({ length: count }, caller))
  return (done / (performance.now() - begin)) * 1000
}

const kinds = [
  'environment.replica-started',
  'environment.replica-stopped',
  'edge.limit-bit',
  'house.operation-called',
]

function someFact(index: number): NewFact {
  const severity: Severity = index % 50 === 0 ? 'warning' : 'info'
  return {
    kind: kinds[index % kinds.length] ?? 'environment.replica-started',
    severity,
    subject: `service:web${index % 5}`,
    actor: 'holdfast',
    correlation: null,
    data: {
      service: 'web',
      replica: index % 4,
      pid: 4211 + (index % 100),
      port: 34_567,
      reason: 'the load was high',
    },
  }
}

let files = 0

async function timelineStore(folder: string): Promise<Store> {
  const path = join(folder, `timeline-${files++}.db`)
  const timeline = await openTimeline({ path })
  return {
    append: (index) => timeline.append([someFact(index)]),
    close: async () => {
      await timeline.close()
      remove(path)
    },
  }
}

function bareInline(folder: string): Store {
  const path = join(folder, `bare-${files++}.db`)
  const bare = openBare(path)
  const group = groupCommit(async (rows) => bare.insert(rows))
  return {
    append: (index) => group(JSON.stringify(someFact(index))),
    close: async () => {
      bare.close()
      remove(path)
    },
  }
}

function bareThread(folder: string): Store {
  const path = join(folder, `bare-${files++}.db`)
  const worker = new Worker(new URL('./timeline/bare.ts', import.meta.url), {
    workerData: { path },
    execArgv: [],
  })
  let answered = (): void => undefined
  worker.on('message', () => answered())
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const group = groupCommit(
    (rows) =>
      new Promise<void>((resolve) => {
        answered = resolve
        worker.postMessage(rows)
      }),
  )
  return {
    append: (index) => group(JSON.stringify(someFact(index))),
    close: async () => {
      worker.postMessage(null)
      await exited
      remove(path)
    },
  }
}

/** What came while a transaction ran goes into the next one; the first of a quiet time waits for its turn to end. */
function groupCommit(insert: (rows: readonly string[]) => Promise<void>): (row: string) => Promise<void> {
  let waiting: { readonly row: string; readonly resolve: () => void }[] = []
  let isRunning = false
  const work = async (): Promise<void> => {
    const batch = waiting
    waiting = []
    await insert(batch.map(({ row }) => row))
    for (const { resolve } of batch) resolve()
    isRunning = false
    schedule()
  }
  const schedule = (): void => {
    if (isRunning || waiting.length === 0) return
    isRunning = true
    setImmediate(() => void work())
  }
  return (row) =>
    new Promise((resolve) => {
      waiting.push({ row, resolve })
      schedule()
    })
}

/** How long a read of the newest 100 facts takes with each filter, from a caller's point of view. */
async function readFigures(folder: string): Promise<readonly Figure[]> {
  const path = join(folder, 'large.db')
  console.error(`building a timeline of ${facts.toLocaleString('en')} facts; ten million take some minutes`)
  buildLargeTimeline(path, facts)
  const sizeMiB = statSync(path).size / 2 ** 20
  const timeline = await openTimeline({ path })
  const figures: Figure[] = []
  for (const [name, query] of Object.entries(largeQueries(facts))) {
    figures.push({
      name: `newest 100 of ${facts.toLocaleString('en')}: ${name}`,
      value: await readMs(timeline, query),
      unit: 'ms',
      limit: 'under 50 ms',
    })
  }
  await timeline.close()
  return [...figures, { name: 'size of a fact on disk', value: (sizeMiB * 2 ** 20) / facts, unit: 'bytes' }]
}

async function readMs(timeline: Timeline, query: FactQuery): Promise<number> {
  const durations: number[] = []
  for (let round = 0; round < 11; round++) {
    const begin = performance.now()
    await timeline.read({ ...query, order: 'newest', limit: 100 })
    durations.push(performance.now() - begin)
  }
  return median(durations)
}

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(path + suffix, { force: true })
}

function sqliteVersion(): string {
  const db = new DatabaseSync(':memory:')
  const row = db.prepare('SELECT sqlite_version() AS version').get()
  db.close()
  return String(row?.['version'])
}
