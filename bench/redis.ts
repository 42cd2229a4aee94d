import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import {
  createSharedCounters,
  localShare,
  overshootOf,
  type SharedCounters,
  type Sharing,
} from '../src/capabilities/edge/data-plane/shared-counters/index.ts'
import { createLimiter, parseLimit } from '../src/kernel/limit/index.ts'
import { systemClock, systemRandom } from '../src/kernel/std/index.ts'
import { openCounterStore } from '../src/providers/redis/index.ts'
import { takeScript } from '../src/providers/redis/scripts.ts'
import { findProgram } from '../test/support/programs.ts'
import { startRedisServer } from '../test/support/redis-server.ts'
import { interleaved, type BenchResult, type Figure } from './harness.ts'

const rounds = 15
/** Requests under way at once, as in a thread that serves many connections. */
const concurrency = 64
const decisions = 6400
const slicedDecisions = 128_000
const keys = 100
const text = '1000000/s per ip burst 1000000'
const edges = 2

/**
 * Shared counters on a real Redis, over a unix socket, 64 requests at once from one thread, over 100 keys. Figures are of
 * the wall clock: client and server share the machine.
 */
export async function run(): Promise<BenchResult> {
  const program = findProgram('redis-server')
  if (program === null)
    throw new Error('this bench needs redis-server; on Debian: apt-get install redis-server')
  const server = await startRedisServer(program)
  try {
    const speed = await measureSpeed(server.url)
    const bound = await measureOvershoot(server.url)
    return { bench: 'redis', figures: [...speed, bound] }
  } finally {
    await server.stop()
  }
}

/** The version of an installed package. */
function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

/** Decisions for each second, so many at a time. */
async function load(count: number, decide: (index: number) => unknown): Promise<number> {
  const startedMs = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const answer = decide(next++)
      if (answer instanceof Promise) await answer
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return (count / (performance.now() - startedMs)) * 1000
}

async function openEdge(url: string, rule: string, how: Partial<Sharing>): Promise<SharedCounters> {
  const [clock, random] = [systemClock, systemRandom]
  const store = openCounterStore({ url, environment: 'bench', timeoutMs: 5000, clock, random })
  const parsed = parseLimit(rule)
  const alone = createLimiter({
    limits: [{ name: 'bench', rule: localShare(parsed, edges) }],
    capacity: 1000,
    seed: [1, 2],
  })
  const sharing = { mode: 'exact', edges, threads: 1, sliceMs: 1000, ...how } as const
  const limits = [{ name: 'bench', rule: parsed, whenDown: 'closed' }] as const
  const onChange = (isUp: boolean, why: string): void => {
    if (!isUp) throw new Error(why)
  }
  for (let isThere = false; !isThere; await clock.sleep(10)) {
    isThere = await store.probe().then(
      () => true,
      () => false,
    )
  }
  return createSharedCounters({ limits, sharing, store, alone, clock, random, onChange })
}

async function measureSpeed(url: string): Promise<readonly Figure[]> {
  const client = new Redis(url, { protocol: 2 })
  await client.script('LOAD', takeScript.text)
  const names = Array.from({ length: keys }, (_, index) => `203.0.113.${index}`)
  const bare = [1, 'r', 0, 1, 1, 1, 0, 1_000_000, 1_000_000]
  const [exact, lease] = [await openEdge(url, text, {}), await openEdge(url, text, { mode: 'lease' })]
  const peer = new RateLimiterRedis({ storeClient: client, points: 1_000_000_000, duration: 3600 })
  const name = (index: number): string => names[index % keys] ?? ''
  const take = (counters: SharedCounters) => (index: number) =>
    counters.take([{ limit: 0, key: name(index) }], systemClock.now())
  const measured = await interleaved(
    {
      bare: () => load(decisions, (index) => client.evalsha(takeScript.sha, 1, name(index), ...bare)),
      exact: () => load(decisions, take(exact)),
      lease: () => load(slicedDecisions, take(lease)),
      peer: () => load(decisions, (index) => peer.consume(name(index))),
    },
    rounds,
  )
  for (const counters of [exact, lease]) counters.close()
  client.disconnect()
  const library = `rate-limiter-flexible ${versionOf('rate-limiter-flexible')}, RateLimiterRedis`
  const evalsha = `bare EVALSHA of the same script, ioredis ${versionOf('ioredis')}`
  return [
    figure('exact', [measured.exact, measured.bare], { peer: evalsha, limit: 'at least 0.9 of the peer' }),
    figure('exact', [measured.exact, measured.peer], { peer: library }),
    figure('lease', [measured.lease, measured.exact], { peer: 'exact', limit: 'at least 10 times the peer' }),
    figure('lease', [measured.lease, measured.peer], { peer: library }),
  ]
}

function figure(
  name: string,
  [value, peerValue]: readonly [number, number],
  more: Pick<Figure, 'peer' | 'limit'> & { peer: string },
): Figure {
  return { name, value, unit: 'decisions/s', peerValue, ratio: value / peerValue, ...more }
}

/** Two edges that lease, in crowds and silences: the most that went beyond the rule in any period, and what was printed. */
async function measureOvershoot(url: string): Promise<Figure> {
  const rule = '2000/s burst 400'
  const sharing: Sharing = { mode: 'lease', edges, threads: 1, sliceMs: 1000 }
  const all = [await openEdge(url, rule, sharing), await openEdge(url, rule, sharing)]
  const admissions: { readonly sentMs: number; readonly knownMs: number }[] = []
  const endMs = performance.now() + 5000
  await Promise.all(
    all.map(async (counters, edge) => {
      for (let turn = 0; performance.now() < endMs; turn++) {
        const sentMs = performance.now()
        const verdict = await counters.take([{ limit: 0, key: 'crowd' }], systemClock.now())
        if (verdict.admitted) admissions.push({ sentMs, knownMs: performance.now() })
        if (turn % 600 === 599) await systemClock.sleep(100 + 50 * edge)
      }
    }),
  )
  for (const counters of all) counters.close()
  const { units, sentence } = overshootOf(parseLimit(rule), sharing)
  const value = Math.max(0, mostBeyond(admissions, { perMs: 2, burst: 400 }))
  return {
    name: 'lease: most beyond the rule',
    value,
    unit: 'units',
    peer: 'the printed bound',
    peerValue: units,
    ratio: value / units,
    limit: sentence,
  }
}

/** Admissions are known only to have been between two times, so this is at most what really was, and often less. */
function mostBeyond(
  admissions: readonly { readonly sentMs: number; readonly knownMs: number }[],
  { perMs, burst }: { readonly perMs: number; readonly burst: number },
): number {
  const sent = admissions.map(({ sentMs }) => sentMs).toSorted((a, b) => a - b)
  const known = admissions.map(({ knownMs }) => knownMs).toSorted((a, b) => a - b)
  let most = Number.NEGATIVE_INFINITY
  // Known by the end, less those sent before the start: at most those that were sent and known within.
  for (const [before, startMs] of sent.entries()) {
    for (let done = before; done < known.length; done++) {
      const endMs = known[done] ?? startMs
      most = Math.max(most, done + 1 - before - burst - Math.floor((endMs - startMs) * perMs))
    }
  }
  return most
}
