import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLimiter, parseLimit } from '../../../../kernel/limit/index.ts'
import { seededRandom, type Clock } from '../../../../kernel/std/index.ts'
import { createSharedCounters, localShare, overshootOf, type SharedCounters, type Sharing } from './index.ts'
import { createModelStore } from './model-store.test-support.ts'

const sharing: Sharing = { mode: 'lease', edges: 2, threads: 2, sliceMs: 1000 }

describe('how far a shared limit may go', () => {
  test.each([
    ['120/min per ip burst 60', sharing, 2],
    ['6000/min per ip burst 60', sharing, 60],
    ['6000/min per ip burst 63', sharing, 60],
    ['6000/min per ip burst 3', sharing, 0],
    ['100 in any hour', sharing, 0],
    ['5 at once per ip', sharing, 0],
    ['6000/min per ip burst 60', { ...sharing, mode: 'exact' }, 0],
  ] as const)('%s', (...[text, how, units]) => {
    expect(overshootOf(parseLimit(text), how).units).toBe(units)
  })

  test('says so', () => {
    expect(overshootOf(parseLimit('600/min per ip burst 60'), sharing).sentence).toBe(
      '2 edges each hold slices of at most 30 for at most 1000 ms: at most 10 more than 600/min per ip burst 60 in any ' +
        'period. Without the store each edge keeps 600/2 min per ip burst 30; each change may let one burst more through.',
    )
    expect(overshootOf(parseLimit('3 in any hour'), { ...sharing, edges: 5 }).sentence).toBe(
      'Counted exactly for 5 edges together: never more than 3 in any hour. Without the store each edge keeps ' +
        '1 in any hour, together at most 2 more; each change may let one burst more through.',
    )
  })

  test('all shares together are the rule, where it can be divided', () => {
    const paces = fc.record({
      count: fc.integer({ min: 1, max: 100_000 }),
      burst: fc.integer({ min: 1, max: 100_000 }),
      edges: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(paces, ({ count, burst, edges }) => {
        const rule = parseLimit(`${count}/min burst ${burst}`)
        const share = localShare(rule, edges)
        expect((share.count / share.periodMs) * edges).toBeCloseTo(rule.count / rule.periodMs, 10)
        expect(share.burst * edges).toBeLessThanOrEqual(
          burst + overshootOf(rule, { ...sharing, edges }).aloneUnits,
        )
      }),
    )
  })
})

interface Step {
  readonly holder: number
  readonly gapMs: number
  readonly cost: number
}

interface Admission {
  readonly atMs: number
  readonly units: number
}

/** Several threads of several edges against one store, with messages under way, in virtual time. */
class World {
  readonly #threads: readonly SharedCounters[]
  readonly #arrivals: { readonly atMs: number; readonly arrive: () => void }[] = []
  readonly #latencyMs: () => number
  #nowMs = 1000
  readonly store
  readonly local: Admission[] = []

  constructor(text: string, how: Sharing, seed: number) {
    const random = seededRandom(seed)
    this.#latencyMs = () => Math.floor(random.next() * 20)
    const now = (): number => this.#nowMs
    const travel = (): Promise<void> =>
      new Promise((arrive) => this.#arrivals.push({ atMs: this.#nowMs + this.#latencyMs(), arrive }))
    this.store = createModelStore({ now, travel })
    const rule = parseLimit(text)
    const clock: Clock = {
      now,
      monotonicMs: now,
      sleep: () => new Promise(() => undefined),
      every: () => () => undefined,
    }
    this.#threads = Array.from({ length: how.edges * how.threads }, () =>
      createSharedCounters({
        limits: [{ name: 'test', rule, whenDown: 'closed' }],
        sharing: how,
        store: this.store,
        alone: createLimiter({ limits: [{ name: 'test', rule }], capacity: 10, seed: [1, 2] }),
        clock,
        random,
        onChange: () => undefined,
      }),
    )
  }

  async step({ holder, gapMs, cost }: Step): Promise<void> {
    await this.advance(gapMs)
    const verdict = this.#threads[holder % this.#threads.length]?.take(
      [{ limit: 0, key: 'k', cost }],
      this.#nowMs,
    )
    if (verdict === undefined || verdict instanceof Promise) return
    if (verdict.admitted) this.local.push({ atMs: this.#nowMs, units: cost })
  }

  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#arrivals.splice(this.#arrivals.indexOf(next), 1)
      next.arrive()
      for (let turn = 0; turn < 12; turn++) await Promise.resolve()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): { readonly atMs: number; readonly arrive: () => void } | undefined {
    return this.#arrivals.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
  }
}

/** The most that was admitted in any period beyond what the rule admits in it. */
function mostBeyond(admissions: readonly Admission[], text: string): number {
  const { count, periodMs, burst } = parseLimit(text)
  const sorted = admissions.toSorted((a, b) => a.atMs - b.atMs)
  let most = Number.NEGATIVE_INFINITY
  for (const [from, { atMs: startMs }] of sorted.entries()) {
    let units = 0
    for (const admission of sorted.slice(from)) {
      units += admission.units
      most = Math.max(most, units - burst - Math.floor(((admission.atMs - startMs) * count) / periodMs))
    }
  }
  return most
}

describe('edges that lease', () => {
  /** Crowds that come at once, so that slices grow, and silences in which the store's budget fills up behind them. */
  const worlds = fc.record({
    count: fc.integer({ min: 20, max: 1000 }),
    burst: fc.integer({ min: 1, max: 200 }),
    edges: fc.integer({ min: 1, max: 4 }),
    threads: fc.integer({ min: 1, max: 2 }),
    sliceMs: fc.constantFrom(100, 300, 1000),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    crowds: fc.array(
      fc.record({
        takes: fc.integer({ min: 5, max: 150 }),
        gapMs: fc.constantFrom(0, 1, 1, 2, 4),
        spread: fc.integer({ min: 1, max: 8 }),
        silenceMs: fc.constantFrom(0, 20, 60, 200, 500, 900, 2000),
        cost: fc.constantFrom(1, 1, 1, 1, 1, 3),
      }),
      { minLength: 4, maxLength: 8 },
    ),
  })

  test('never admit more in any period than the rule and the bound that is printed', async () => {
    let [beyond, locally] = [0, 0]
    await fc.assert(
      fc.asyncProperty(worlds, async ({ count, burst, crowds, seed, ...how }) => {
        const text = `${count}/s burst ${burst}`
        const world = new World(text, { ...how, mode: 'lease' }, seed)
        for (const { takes, gapMs, spread, silenceMs, cost } of crowds) {
          for (let turn = 0; turn < takes; turn++) await world.step({ holder: turn % spread, gapMs, cost })
          await world.advance(silenceMs)
        }
        await world.advance(100)
        const most = mostBeyond([...world.local, ...world.store.admitted], text)
        expect(most).toBeLessThanOrEqual(overshootOf(parseLimit(text), { ...how, mode: 'lease' }).units)
        if (most > 0) beyond++
        locally += world.local.length
      }),
      { numRuns: 100 },
    )
    // The bound is not there for nothing, and slices are really spent.
    expect(beyond).toBeGreaterThan(0)
    expect(locally).toBeGreaterThan(1000)
  })

  test('a client that keeps the rate is never refused for what others hold or lose', async () => {
    const world = new World('4/s burst 8', { ...sharing, sliceMs: 1000 }, 5)
    for (let turn = 0; turn < 200; turn++) await world.step({ holder: turn % 3, gapMs: 250, cost: 1 })
    await world.advance(1000)
    const units = [...world.local, ...world.store.admitted].reduce(
      (sum, admission) => sum + admission.units,
      0,
    )
    expect(units).toBe(200)
  })

  test('a busy key asks the store seldom', async () => {
    const world = new World('100000/s burst 4000', sharing, 5)
    for (let turn = 0; turn < 4000; turn++) await world.step({ holder: turn % 4, gapMs: turn % 2, cost: 1 })
    await world.advance(1000)
    const units = [...world.local, ...world.store.admitted].reduce(
      (sum, admission) => sum + admission.units,
      0,
    )
    expect(units).toBe(4000)
    expect(world.store.calls).toBeLessThan(400)
  })
})
