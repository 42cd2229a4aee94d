import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../../../test/support/describe-with.ts'
import { startRedisServer, type RedisServer } from '../../../test/support/redis-server.ts'
import type { CounterAsk, CounterForm, CounterStore } from '../../capabilities/edge/ports.ts'
import { HoldfastError, seededRandom, systemClock } from '../../kernel/std/index.ts'
import { openCounterStore } from './index.ts'

const hour = 3_600_000

function ask(form: CounterForm, more: Partial<CounterAsk> = {}): CounterAsk {
  const cost = more.cost ?? 1
  return { limit: 'test', key: 'someone', form, want: cost, isDryRun: false, lease: '', ...more, cost }
}
const perHour = (count: number, burst = count): CounterForm => ({
  kind: 'rate',
  count,
  periodMs: hour,
  burst,
})
const inAnyHour = (count: number): CounterForm => ({ kind: 'window', count, periodMs: hour })
const atOnce = (count: number, leaseMs = 60_000): CounterForm => ({ kind: 'concurrency', count, leaseMs })

describeWith(['redis-server'], 'counters on Redis', (programs) => {
  let server: RedisServer
  const open: CounterStore[] = []

  beforeAll(async () => {
    server = await startRedisServer(programs['redis-server'])
  })
  afterEach(async () => {
    for (const store of open.splice(0)) store.close()
    await server.client.flushall()
  })
  afterAll(async () => await server.stop())

  /** A connection of its own, which is made when this resolves. Time enough for a machine under load. */
  async function connect(timeoutMs = 1000): Promise<CounterStore> {
    const store = openCounterStore({
      url: server.url,
      environment: 'arcade',
      timeoutMs,
      clock: systemClock,
      random: seededRandom(open.length),
    })
    open.push(store)
    for (let isThere = false; !isThere;) {
      isThere = await store.probe().then(
        () => true,
        () => false,
      )
      if (!isThere) await systemClock.sleep(10)
    }
    return store
  }

  const times = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

  test.each([
    ['rate', perHour(100)],
    ['window', inAnyHour(100)],
    ['concurrency', atOnce(100)],
  ])('%s: four connections together get exactly what there is', async (_, form) => {
    const stores = await Promise.all(times(4).map(() => connect(5000)))
    const verdicts = await Promise.all(
      times(400).map(async (index) => {
        // The connections get out of step.
        await systemClock.sleep(index % 7)
        return stores[index % 4]?.take([ask(form, { lease: `lease-${index}` })])
      }),
    )
    const waits = verdicts.flatMap((outcomes) => outcomes?.map(({ waitMs }) => waitMs) ?? [])
    expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(100)
    expect(waits.filter((waitMs) => waitMs > 0)).toHaveLength(300)
  })

  test('a rate gives back in time exactly what it says', async () => {
    const store = await connect()
    const form: CounterForm = { kind: 'rate', count: 7, periodMs: 1000, burst: 3 }
    await store.take([ask(form, { cost: 3 })])
    const [refused] = await store.take([ask(form)])
    expect(refused?.waitMs).toBeGreaterThan(0)
    expect(refused?.waitMs).toBeLessThanOrEqual(143)
    await systemClock.sleep(refused?.waitMs ?? 0)
    const [outcome] = await store.take([ask(form)])
    expect(outcome).toMatchObject({ waitMs: 0, granted: 1 })
  })

  test('a rate in odd numbers loses nothing to rounding', async () => {
    const store = await connect()
    const rates = fc.record({
      count: fc.integer({ min: 1, max: 10_000_000 }),
      periodMs: fc.integer({ min: 60_000, max: 366 * 86_400_000 }),
      burst: fc.integer({ min: 1, max: 2000 }),
      parts: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }),
    })
    // What takes more than a hundred years to fill up is no shared rate.
    const countable = rates.filter(
      ({ count, periodMs, burst }) => (burst / count) * periodMs < 100 * 365 * 24 * hour,
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(countable, async ({ parts, ...pace }) => {
        const form: CounterForm = { kind: 'rate', ...pace }
        const key = `run ${run++}`
        const startedMs = performance.now()
        let granted = 0
        for (const part of parts) {
          const [outcome] = await store.take([ask(form, { key, cost: 0, want: part })])
          granted += outcome?.granted ?? 0
        }
        const wanted = parts.reduce((sum, part) => sum + part, 0)
        const gained = ((performance.now() - startedMs) * pace.count) / pace.periodMs
        expect(granted).toBeGreaterThanOrEqual(Math.min(wanted, pace.burst))
        expect(granted).toBeLessThanOrEqual(pace.burst + Math.ceil(gained))
      }),
      { numRuns: 100 },
    )
  })

  test('a rate gives a part of what is wanted, but never less than the cost', async () => {
    const store = await connect()
    const form = perHour(10)
    expect((await store.take([ask(form, { want: 7 })]))[0]).toMatchObject({ granted: 7, remaining: 3 })
    expect((await store.take([ask(form, { cost: 4, want: 9 })]))[0]).toMatchObject({
      granted: 0,
      remaining: 3,
    })
    expect((await store.take([ask(form, { cost: 2, want: 9 })]))[0]).toMatchObject({
      granted: 3,
      remaining: 0,
    })
    expect((await store.take([ask(form, { cost: 0, want: 9 })]))[0]).toMatchObject({ waitMs: 0, granted: 0 })
    expect((await store.take([ask(form, { cost: 11 })]))[0]?.waitMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('several counters: from all or from none', async () => {
    const store = await connect()
    const wide = ask(perHour(10), { limit: 'wide' })
    const narrow = ask(inAnyHour(2), { limit: 'narrow' })
    const places = ask(atOnce(5), { limit: 'places', lease: 'mine' })
    for (let turn = 0; turn < 5; turn++)
      await store.take([wide, narrow, { ...places, lease: `mine-${turn}` }])
    const left = await store.take([wide, narrow, places].map((each) => ({ ...each, want: 0 })))
    expect(left.map(({ remaining }) => remaining)).toEqual([8, 0, 3])
  })

  test('requests of one turn go out together, and each is decided by itself', async () => {
    const store = await connect()
    const form = inAnyHour(3)
    const other = ask(perHour(1), { limit: 'other' })
    const outcomes = await Promise.all([
      store.take([ask(form)]),
      store.take([ask(form, { cost: 3 }), other]),
      store.take([ask(form, { cost: 2 }), other]),
    ])
    expect(outcomes.map(([first]) => first?.granted)).toEqual([1, 0, 2])
  })

  test('a dry run refuses nothing and takes nothing beyond', async () => {
    const store = await connect()
    const dry = ask(perHour(1), { isDryRun: true, limit: 'dry' })
    const real = ask(perHour(5), { limit: 'real' })
    await store.take([dry, real])
    const [said, taken] = await store.take([dry, real])
    expect(said?.waitMs).toBeGreaterThan(0)
    expect(said?.granted).toBe(0)
    expect(taken).toMatchObject({ waitMs: 0, granted: 1, remaining: 3 })
  })

  test('an exact window never holds more than its number, and frees its places one by one', async () => {
    const store = await connect()
    const form: CounterForm = { kind: 'window', count: 5, periodMs: 5000 }
    await store.take([ask(form, { cost: 2 })])
    await systemClock.sleep(200)
    expect((await store.take([ask(form, { cost: 3 })]))[0]).toMatchObject({ granted: 3, remaining: 0 })
    const [refused] = await store.take([ask(form, { cost: 3 })])
    expect(refused?.waitMs).toBeGreaterThan(0)
    expect(refused?.waitMs).toBeLessThanOrEqual(5000)
    await systemClock.sleep(refused?.waitMs ?? 0)
    expect((await store.take([ask(form, { cost: 3 })]))[0]).toMatchObject({ waitMs: 0, granted: 3 })
  })

  test('leases end by themselves', async () => {
    const store = await connect()
    const brief = ask(atOnce(3, 1000), { lease: 'brief', cost: 2 })
    const outcomes = await Promise.all([
      store.take([brief]),
      store.take([{ ...brief, lease: 'second', cost: 1 }]),
      store.take([{ ...brief, lease: 'third', cost: 1 }]),
    ])
    expect(outcomes.map(([outcome]) => outcome?.waitMs)).toEqual([0, 0, 1000])
    await systemClock.sleep(1100)
    expect(await store.renew([brief])).toBe(false)
    expect((await store.take([{ ...brief, lease: 'fourth', cost: 3, want: 3 }]))[0]).toMatchObject({
      granted: 3,
    })
  })

  test('leases are prolonged and given back', async () => {
    const store = await connect()
    const mine = ask(atOnce(3), { lease: 'mine', cost: 2 })
    await store.take([mine])
    expect(await store.renew([mine])).toBe(true)
    expect(await store.renew([mine, { ...mine, lease: 'never taken' }])).toBe(false)
    await store.release([mine])
    expect((await store.take([{ ...mine, want: 0 }]))[0]).toMatchObject({ remaining: 3 })
    expect(await store.renew([mine])).toBe(false)
  })

  test('a calendar window is the one that the store is in, whatever the clock of the edge says', async () => {
    const store = await connect()
    const nowMs = Date.now()
    const day = 86_400_000
    const from = nowMs - 5000
    const calendar = (skewDays: number): CounterForm => {
      const start = from + skewDays * day
      return { kind: 'calendar', count: 10, resetsMs: [start - day, start, start + day, start + 2 * day] }
    }
    // Edges whose clocks are a little behind, right, and a little ahead of a reset that was five seconds ago.
    expect((await store.take([ask(calendar(-1), { cost: 4 })]))[0]).toMatchObject({ remaining: 6 })
    expect((await store.take([ask(calendar(0), { cost: 4 })]))[0]).toMatchObject({ remaining: 2 })
    expect((await store.take([ask(calendar(1), { cost: 1 })]))[0]).toMatchObject({ remaining: 1 })
    const [refused] = await store.take([ask(calendar(0), { cost: 2 })])
    expect(refused?.granted).toBe(0)
    expect(refused?.waitMs).toBeGreaterThan(day - 20_000)
    expect(refused?.waitMs).toBeLessThanOrEqual(day - 5000)
  })

  test('a calendar window that has begun does not go back', async () => {
    const store = await connect()
    const nowMs = Date.now()
    const ahead: CounterForm = {
      kind: 'calendar',
      count: 3,
      resetsMs: [nowMs - 3000, nowMs - 2000, nowMs - 1000, nowMs + hour],
    }
    const behind: CounterForm = {
      kind: 'calendar',
      count: 3,
      resetsMs: [nowMs - 3000, nowMs - 2000, nowMs + hour, nowMs + 2 * hour],
    }
    await store.take([ask(ahead, { cost: 2 })])
    expect((await store.take([ask(behind)]))[0]).toMatchObject({ granted: 1, remaining: 0 })
    expect((await store.take([ask(behind)]))[0]).toMatchObject({ granted: 0 })
    expect((await store.take([ask(ahead)]))[0]).toMatchObject({ granted: 0 })
  })

  test('a store whose clock was set back frees nobody and locks nobody for longer than a refill', async () => {
    const store = await connect()
    const forms = [perHour(2), inAnyHour(2), atOnce(2)]
    const asks = forms.map((form) => ask(form, { limit: form.kind, lease: 'a', cost: 2 }))
    await store.take(asks)
    const aheadUs = (Date.now() + 10 * hour) * 1000
    const writtenAhead: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
      string: (key) => server.client.set(key, `${aheadUs} 0`, 'PX', hour),
      list: (key) =>
        server.client
          .multi()
          .del(key)
          .rpush(key, aheadUs, aheadUs - 1000)
          .exec(),
      zset: (key) => server.client.zadd(key, 'XX', aheadUs, 'a:1', aheadUs, 'a:2'),
    }
    for (const key of await server.client.keys('holdfast:*')) {
      await writtenAhead[await server.client.type(key)]?.(key)
    }
    for (const each of asks) {
      const [outcome] = await store.take([{ ...each, want: 0 }])
      expect(outcome).toMatchObject({ remaining: 0 })
      expect(outcome?.resetMs).toBeLessThanOrEqual(hour)
      expect(outcome?.resetMs).toBeGreaterThan(30_000)
    }
  })

  test('scripts that the store has forgotten are told again', async () => {
    const store = await connect()
    await store.take([ask(perHour(10))])
    await server.client.script('FLUSH')
    expect((await store.take([ask(perHour(10))]))[0]).toMatchObject({ granted: 1, remaining: 8 })
    await server.client.script('FLUSH')
    const lease = ask(atOnce(2), { limit: 'places', lease: 'a' })
    await store.take([lease])
    await server.client.script('FLUSH')
    expect(await store.renew([lease])).toBe(true)
  })

  test('ten thousand keys of odd bytes: each has a name of bounded length and an end', async () => {
    const store = await connect(10_000)
    const random = seededRandom(7)
    const odd = (index: number): string =>
      String.fromCharCode(...times(index % 40).map(() => Math.floor(random.next() * 65_536))) + index
    const forms: readonly CounterForm[] = [
      perHour(5),
      inAnyHour(5),
      atOnce(5),
      { kind: 'calendar', count: 5, resetsMs: [0, Date.now() - 1, Date.now() + hour, Date.now() + 2 * hour] },
    ]
    const asks = times(10_000).map((index) => {
      const form = forms[index % forms.length] ?? perHour(5)
      return ask(form, { limit: `\0 {}\r\n${form.kind}`, key: odd(index), lease: `l${index}` })
    })
    await Promise.all(asks.map((each) => store.take([each])))
    const keys = (await server.client.keys('*')).filter((key) => !key.endsWith('probe'))
    expect(keys).toHaveLength(10_000)
    expect(keys.filter((key) => !/^holdfast:\{arcade\}:[\w-]{12}:[\w-]{24}$/.test(key))).toEqual([])
    const pipeline = server.client.pipeline()
    for (const key of keys) pipeline.pttl(key)
    const lives = (await pipeline.exec())?.map(([, life]) => Number(life)) ?? []
    expect(Math.min(...lives)).toBeGreaterThan(0)
    expect(Math.max(...lives)).toBeLessThanOrEqual(hour + 1)
  })

  test('a long name and a name with tricks are other counters than their neighbours', async () => {
    const store = await connect()
    const names = ['', 'a', 'a\0', 'a\n', '}:x', 'ä', 'a'.repeat(100_000), 'a'.repeat(100_001)]
    for (const key of names) {
      expect((await store.take([ask(perHour(1), { key })]))[0]?.granted).toBe(1)
      expect((await store.take([ask(perHour(1), { key })]))[0]?.granted).toBe(0)
    }
  })

  test('a store that hangs is given up in bounded time, and answers again when it goes on', async () => {
    const store = await connect(100)
    await server.kill('SIGSTOP')
    try {
      const startedMs = performance.now()
      const failures = await Promise.allSettled(times(50).map(() => store.take([ask(perHour(5))])))
      expect(failures.every(({ status }) => status === 'rejected')).toBe(true)
      expect(failures.map((failure) => (failure as PromiseRejectedResult).reason.code)).toContain(
        'edge.counters-unreachable',
      )
      // The machine may be busy; the system's own patience would be minutes.
      expect(performance.now() - startedMs).toBeLessThan(5000)
      await expect(store.probe()).rejects.toThrow(HoldfastError)
    } finally {
      await server.kill('SIGCONT')
    }
    await untilWell(store)
    expect((await store.take([ask(perHour(5), { key: 'afterwards' })]))[0]).toMatchObject({ granted: 1 })
  })

  test('a store that is killed is told at once; an empty one in its place is found again', async () => {
    const store = await connect(5000)
    await store.take([ask(perHour(2), { cost: 2 })])
    const underWay = store.take([ask(perHour(2))]).catch(() => undefined)
    await server.kill('SIGKILL')
    await underWay
    await expect(store.take([ask(perHour(2))])).rejects.toMatchObject({ code: 'edge.counters-unreachable' })
    await server.restart()
    await untilWell(store)
    expect((await store.take([ask(perHour(2), { cost: 2 })]))[0]).toMatchObject({ granted: 2 })
  })

  async function untilWell(store: CounterStore): Promise<void> {
    for (let turn = 0; turn < 500; turn++) {
      const isWell = await store.probe().then(
        () => true,
        () => false,
      )
      if (isWell) return
      await systemClock.sleep(20)
    }
    throw new Error('the store did not come back')
  }
})
