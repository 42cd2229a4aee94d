import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { createLimiter, parseLimit, type Limiter } from '../src/kernel/limit/index.ts'
import { interleaved, type BenchResult, type Figure } from './harness.ts'

const ROUNDS = 31
const HOT_KEYS = 8
const HOT_DECISIONS = 50_000
const MILLION = 1_000_000
/** Requests in a round: few, so that their strings lie in the cache, as those of a request that was just parsed do. */
const VISITS = 30_000
const RANDOM_KEYS = 10_000_000
/** Any time will do; it stands still within a round, as the clock of a busy server does for thousands of requests. */
const START_MS = 1_760_000_000_000

const peer = `rate-limiter-flexible ${peerVersion('rate-limiter-flexible')}, RateLimiterMemory`

/** The version of an installed package. */
function peerVersion(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

/** For one thread alone, as the peer is, or for any number of threads, which the peer cannot serve. */
const makeLimiter = (alone: boolean): Limiter =>
  createLimiter({
    alone,
    limits: [{ name: 'bench', rule: parseLimit('1000000/s per ip') }],
    capacity: MILLION,
    seed: [0x1234567, 0x89abcde],
  })
const makePeer = (): RateLimiterMemory => new RateLimiterMemory({ points: 1_000_000_000, duration: 3600 })

/** The text of one of 2^24 addresses. */
const address = (index: number): string =>
  `${10 + (index >>> 18)}.${(index >>> 12) & 63}.${(index >>> 6) & 63}.${index & 63}`

/** Addresses as a server gets them: each a flat string of its own, just cut out of what came over the wire. */
function parsed(indexes: readonly number[]): readonly string[] {
  const wire = Buffer.alloc(16 * indexes.length)
  const lengths = indexes.map((index, at) => wire.write(address(index), 16 * at, 'latin1'))
  return lengths.map((length, at) => wire.toString('latin1', 16 * at, 16 * at + length))
}

/** A repeatable sequence of numbers below `bound`. */
function* numbers(bound: number): Generator<number> {
  let state = 7
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield Math.floor((state / 2 ** 32) * bound)
  }
}

/** The limiter against the memory limiter that most Node programs use, in the same run, round by round. */
export async function run(): Promise<BenchResult> {
  const hot = await hotKey()
  const million = await oneMillionKeys()
  return { bench: 'limit', figures: [...hot, ...million, memoryUnderFlood()] }
}

/**
 * Microseconds of a core that this process has had, its garbage collector included; what others do on the machine
 * does not count. The kernel brings the number up to date only when the thread is switched, hence the nap.
 */
const coreUs = (): number => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.05)
  const { user, system } = process.cpuUsage()
  return user + system
}
const perSecond = (decisions: number, startedUs: number): number => (decisions / (coreUs() - startedUs)) * 1e6

function against(
  value: number,
  peerValue: number,
): Pick<Figure, 'value' | 'unit' | 'peer' | 'peerValue' | 'ratio'> {
  return { value, unit: 'decisions/s of one core', peer, peerValue, ratio: value / peerValue }
}

interface Ours {
  readonly alone: Limiter
  readonly shared: Limiter
}

const makeOurs = (): Ours => ({ alone: makeLimiter(true), shared: makeLimiter(false) })

function figures(
  name: string,
  measured: Record<'text' | 'shared' | 'hashed' | 'peer', number>,
  limit: string,
) {
  return [
    { name, ...against(measured.text, measured.peer), limit },
    { name: `${name}, shared by threads`, ...against(measured.shared, measured.peer) },
    { name: `${name}, hashed before`, ...against(measured.hashed, measured.peer) },
  ] satisfies readonly Figure[]
}

/** A few keys that come again and again. */
async function hotKey(): Promise<readonly Figure[]> {
  const [{ alone, shared }, theirs] = [makeOurs(), makePeer()]
  const texts = parsed(Array.from({ length: HOT_KEYS }, (_, index) => index * 4099))
  const hashes = texts.map((text) => alone.hash(text))
  let nowMs = START_MS
  const measured = await interleaved(
    {
      text: () => takeTexts(alone, texts, { decisions: HOT_DECISIONS, nowMs: nowMs++ }),
      shared: () => takeTexts(shared, texts, { decisions: HOT_DECISIONS, nowMs: nowMs++ }),
      hashed: () => takeHashes(alone, hashes, { decisions: HOT_DECISIONS, nowMs: nowMs++ }),
      peer: async () => await consume(theirs, texts, HOT_DECISIONS),
    },
    ROUNDS,
  )
  return figures('hot key', measured, 'at least 10,000,000/s')
}

/**
 * A million keys in use, visited at random. Each visit brings a string of its own, as a request does. Most of our
 * time is one line of memory that is in no near cache, and its address, which is in no near cache either.
 */
async function oneMillionKeys(): Promise<readonly Figure[]> {
  const { alone, shared } = makeOurs()
  for (let index = 0; index < MILLION; index++) {
    alone.takeText(0, address(index), START_MS)
    shared.takeText(0, address(index), START_MS)
  }
  const before = heapBytes()
  const theirs = makePeer()
  for (let index = 0; index < MILLION; index++) await theirs.consume(address(index))
  const peerBytes = (heapBytes() - before) / MILLION
  const random = numbers(MILLION)
  const visits = (): readonly string[] =>
    parsed(Array.from({ length: VISITS }, () => random.next().value ?? 0))
  const hashes = (): readonly number[] => visits().map((text) => alone.hash(text))
  let nowMs = START_MS
  const measured = await interleaved(
    {
      text: () => takeTexts(alone, visits(), { decisions: VISITS, nowMs: ++nowMs }),
      shared: () => takeTexts(shared, visits(), { decisions: VISITS, nowMs: ++nowMs }),
      hashed: () => takeHashes(alone, hashes(), { decisions: VISITS, nowMs: ++nowMs }),
      peer: async () => await consume(theirs, visits(), VISITS),
    },
    ROUNDS,
  )
  const bytes = alone.sizeBytes / MILLION
  return [
    ...figures('one million keys', measured, 'at least 10 times the peer'),
    {
      name: 'bytes per key',
      value: bytes,
      unit: 'bytes',
      peer: `${peer}, keys included`,
      peerValue: peerBytes,
      ratio: bytes / peerBytes,
      limit: 'at most 16',
    },
  ]
}

/** Ten million keys that nobody has seen before, in a table for one million. */
function memoryUnderFlood(): Figure {
  const limiter = makeLimiter(false)
  for (let index = 0; index < MILLION; index++) limiter.takeText(0, address(index), START_MS)
  const before = heapBytes()
  for (let index = 0; index < RANDOM_KEYS; index++) {
    limiter.takeText(0, `${index}.flood.${Math.imul(index, 0x9e3779b1)}`, START_MS + index / 100)
  }
  const value = heapBytes() - before
  return {
    name: 'memory growth under ten million random keys',
    value,
    unit: 'bytes',
    limit: `none: the table's ${limiter.sizeBytes.toLocaleString('en-GB')} bytes were reserved at the start`,
  }
}

interface Load {
  readonly decisions: number
  readonly nowMs: number
}

function takeTexts(limiter: Limiter, texts: readonly string[], { decisions, nowMs }: Load): number {
  const startedUs = coreUs()
  for (let done = 0; done < decisions; done += texts.length) {
    for (const text of texts) limiter.takeText(0, text, nowMs)
  }
  return perSecond(decisions, startedUs)
}

function takeHashes(limiter: Limiter, hashes: readonly number[], { decisions, nowMs }: Load): number {
  const startedUs = coreUs()
  for (let done = 0; done < decisions; done += hashes.length) {
    for (const hash of hashes) limiter.takeOne(0, hash, nowMs)
  }
  return perSecond(decisions, startedUs)
}

async function consume(
  limiter: RateLimiterMemory,
  texts: readonly string[],
  decisions: number,
): Promise<number> {
  const startedUs = coreUs()
  for (let done = 0; done < decisions; done += texts.length) {
    for (const text of texts) await limiter.consume(text)
  }
  return perSecond(decisions, startedUs)
}

/** What the process holds, garbage collected if Node was started with `--expose-gc`. */
function heapBytes(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
