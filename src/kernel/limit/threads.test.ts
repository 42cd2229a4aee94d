import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import type { Hammer } from './hammer.test-worker.ts'
import {
  createLimiter,
  parseLimit,
  restoreTable,
  saveTable,
  type Limiter,
  type LimiterOptions,
} from './index.ts'

const THREADS = 4

type Plan = Pick<Hammer, 'turns' | 'requests'> & { readonly releases?: boolean }

const optionsOf = (texts: readonly string[], capacity = 1000): LimiterOptions => ({
  limits: texts.map((text) => ({ name: text, rule: parseLimit(text) })),
  capacity,
  seed: [77, 88],
})

/** Lets four threads hammer the same buffer; answers with what was admitted by request, summed over them. */
async function hammer(limiter: Limiter, options: LimiterOptions, plan: Plan): Promise<readonly number[]> {
  const gate = new SharedArrayBuffer(4)
  const counts = await Promise.all(
    Array.from({ length: THREADS }, (_, thread) => {
      const workerData: Hammer = {
        options,
        buffer: limiter.buffer,
        gate,
        threads: THREADS,
        nowMs: 1_760_000_000_000,
        releases: false,
        ...plan,
        offset: Math.floor((thread * plan.requests.length) / THREADS),
      }
      const worker = new Worker(new URL('hammer.test-worker.ts', import.meta.url), { workerData })
      return new Promise<readonly number[]>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    }),
  )
  return plan.requests.map((_, index) => counts.reduce((sum, each) => sum + (each[index] ?? 0), 0))
}

const single = (limit: number, text: string) => [{ limit, text, cost: 1 }]

describe('four threads on one buffer', () => {
  test('admit exactly the burst of each key, by the fast way', async () => {
    const options = optionsOf(['3000/hour'])
    const limiter = createLimiter(options)
    const requests = Array.from({ length: 4 }, (_, index) => single(0, `key ${index}`))
    expect(await hammer(limiter, options, { turns: 40_000, requests })).toEqual([3000, 3000, 3000, 3000])
    const [counts] = limiter.counters()
    expect(counts).toEqual({ admitted: 12_000, refused: THREADS * 40_000 - 12_000, wouldRefuse: 0 })
  })

  test('admit exactly the number of a calendar limit', async () => {
    const options = optionsOf(['2000/month resets 1 00:00 Europe/Vienna'])
    const limiter = createLimiter(options)
    const requests = ['a', 'b', 'a'].map((text) => single(0, text))
    const [a = 0, b = 0, alsoA = 0] = await hammer(limiter, options, { turns: 6000, requests })
    expect([a + alsoA, b]).toEqual([2000, 2000])
  })

  test('admit each of many new keys exactly once, though all come first at the same time', async () => {
    const options = optionsOf(['1/hour'], 20_000)
    const limiter = createLimiter(options)
    const requests = Array.from({ length: 10_000 }, (_, index) => single(0, `key ${index}`))
    const plan = { turns: 20_000, requests }
    const admitted = await hammer(limiter, options, plan)
    expect(limiter.displaced()).toBe(0)
    expect(admitted.filter((count) => count !== 1)).toEqual([])
  })

  test('take from several limits all or none: every unit taken belongs to an admitted request', async () => {
    const options = optionsOf([
      '1000/hour',
      '700/hour',
      '50 in any hour',
      '400 at once',
      '900/day resets 00:00 Europe/Vienna',
    ])
    const limiter = createLimiter(options)
    const requests = [
      [
        { limit: 0, text: 'a', cost: 1 },
        { limit: 1, text: 'b', cost: 2 },
      ],
      [
        { limit: 1, text: 'b', cost: 1 },
        { limit: 0, text: 'a', cost: 3 },
        { limit: 2, text: 'c', cost: 2 },
      ],
      [
        { limit: 3, text: 'd', cost: 1 },
        { limit: 0, text: 'a', cost: 1 },
        { limit: 4, text: 'e', cost: 3 },
      ],
      single(0, 'a'),
    ]
    const [one = 0, two = 0, three = 0, four = 0] = await hammer(limiter, options, { turns: 4000, requests })
    const used = (limit: number, text: string): number =>
      limiter.peek(limit, limiter.hash(text), 1_760_000_000_000).used
    expect(used(0, 'a')).toBe(one + 3 * two + three + four)
    expect(used(1, 'b')).toBe(2 * one + two)
    expect(used(2, 'c')).toBe(2 * two)
    expect(used(3, 'd')).toBe(three)
    expect(used(4, 'e')).toBe(3 * three)
    expect(used(0, 'a')).toBe(1000)
  })

  test('never hold more at once than allowed, and leave nothing behind', async () => {
    const options = optionsOf(['2 at once', '1000000/s'])
    const limiter = createLimiter(options)
    const requests = [
      [
        { limit: 0, text: 'a', cost: 1 },
        { limit: 1, text: 'b', cost: 1 },
      ],
    ]
    const [admitted = 0] = await hammer(limiter, options, { turns: 5000, requests, releases: true })
    expect(admitted).toBeGreaterThan(0)
    expect(limiter.peek(0, limiter.hash('a'), 1_760_000_000_000).used).toBe(0)
  })

  test('give back what they took: nothing is lost and nothing is won', async () => {
    const options = optionsOf(['3/hour', '3 in any hour', '3/day resets 00:00', '3 at once'])
    const limiter = createLimiter(options)
    const limits = [0, 1, 2, 3]
    const requests = limits.map((limit) =>
      limits.filter((other) => other !== limit).map((each) => ({ limit: each, text: 'a', cost: 1 })),
    )
    const admitted = await hammer(limiter, options, { turns: 3000, requests, releases: true })
    expect(Math.min(...admitted)).toBeGreaterThan(0)
    const used = limits.map((limit) => limiter.peek(limit, limiter.hash('a'), 1_760_000_000_000).used)
    expect(used).toEqual([0, 0, 0, 0])
  })

  test('are not disturbed by snapshots, each of which holds what was owed at some instant', async () => {
    const options = optionsOf(['3000/hour', '2000/hour', '900/day resets 00:00', '40 in any hour'])
    const limiter = createLimiter(options)
    const requests = [
      single(0, 'a'),
      [0, 1, 2, 3].map((limit) => ({ limit, text: 'b', cost: 1 })),
      [1, 2].map((limit) => ({ limit, text: 'b', cost: 2 })),
      single(0, 'b'),
    ]
    const hammering = { isOver: false }
    const admitted = hammer(limiter, options, { turns: 20_000, requests })
    void admitted.finally(() => (hammering.isOver = true))
    const standings: (readonly number[])[] = []
    while (!hammering.isOver) {
      standings.push(usedIn(saveTable(limiter.buffer, { seed: options.seed, nowMs }), options))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const [a = 0, all = 0, two = 0, b = 0] = await admitted
    const last = usedIn(saveTable(limiter.buffer, { seed: options.seed, nowMs }), options)
    expect(last).toEqual([a, all + b, all + 2 * two, all + 2 * two, all])
    expect([a, all + b, all]).toEqual([3000, 3000, 40])
    expect(standings.length).toBeGreaterThan(3)
    for (const [index, later] of standings.entries()) {
      const earlier = standings[index - 1] ?? [0, 0, 0, 0, 0]
      expect(later.slice(0, 4).every((used, place) => used >= (earlier[place] ?? 0))).toBe(true)
    }
  })

  const nowMs = 1_760_000_000_000

  function usedIn(saved: Uint8Array, options: LimiterOptions): readonly number[] {
    const found = restoreTable(saved, options)
    if ('unusable' in found) throw new Error(found.unusable)
    const copy = createLimiter({ ...options, ...found })
    const keys = [
      [0, 'a'],
      [0, 'b'],
      [1, 'b'],
      [2, 'b'],
      [3, 'b'],
    ] as const
    return keys.map(([limit, text]) => copy.peek(limit, copy.hash(text), nowMs).used)
  }

  test('a full table under four threads still admits no more than it can remember', async () => {
    const options = optionsOf(['1/hour'], 1)
    const limiter = createLimiter(options)
    const requests = Array.from({ length: 4000 }, (_, index) => single(0, `key ${index}`))
    const admitted = await hammer(limiter, options, { turns: 8000, requests })
    expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(384)
  })
})

describe('a thread that is ended in the middle', () => {
  test('leaves locks that others take over', () => {
    const options = optionsOf(['5/hour', '6/hour'])
    const limiter = createLimiter(options)
    const key = limiter.hash('a')
    limiter.takeOne(0, key, 0)
    lockEverything(limiter.buffer)
    expect(limiter.takeOne(0, key, 0)).toBe(0)
    expect(limiter.takeOne(1, limiter.hash('b'), 0)).toBe(0)
  })

  /** As if a thread had been ended while it held all buckets and all values. */
  function lockEverything(buffer: SharedArrayBuffer): void {
    const words = new Int32Array(buffer)
    for (let bucket = words.length - 64 * 16; bucket < words.length; bucket += 16) {
      words[bucket] = (words[bucket] ?? 0) | 1
      for (let way = 7; way < 13; way++) if (words[bucket + way] !== 0) words[bucket + way] = -(2 ** 31)
    }
  }
})
