import { describe, expect, test } from 'vitest'
import type { Job } from '../../../contracts/index.ts'
import { bindJob, type JobCall, type OperationBinding } from '../../../kernel/capability/index.ts'
import { systemClock, virtualClock, type JsonObject } from '../../../kernel/std/index.ts'
import { memoryTimeline, type Fact, type Timeline } from '../../../kernel/timeline/index.ts'
import {
  callAs,
  slowTimeline,
  somebody,
  testHouse,
  type TestHouse,
} from '../../../../test/support/control/house.ts'
import { testCatalogue, testOperations } from '../../../../test/support/control/operations.ts'
import { jobsFold, keptEndedJobs } from './fold.ts'
import { idempotencyLifeMs } from './jobs.ts'
import { maxAttempts } from './runner.ts'

type Act = (input: { what: string }, call: JobCall) => Promise<{ first: string; second: string }>
const never = new AbortController().signal
const done = { first: 'a', second: 'b' }
const kim = somebody('operate', 'person:kim')

/** A house that knows one job and nothing else of the tests. */
async function houseWith(act: Act, over: Parameters<typeof testHouse>[0] = {}): Promise<TestHouse> {
  const bindings = (): readonly OperationBinding[] => [bindJob(testOperations.work, act)]
  const catalogue = testCatalogue.filter(({ name }) => !name.startsWith('test.') || name === 'test.work')
  return testHouse({ bindings, catalogue, ...over })
}

async function work({ house }: TestHouse, what: string, idempotencyKey?: string): Promise<Job> {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey }
  const answer = await callAs(house, kim, { operation: 'test.work', input: { what }, ...key })
  if (answer.kind !== 'job') throw new Error('no job')
  return answer.job
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail, { once: true })
  })

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a job', () => {
  test('runs, records its steps and ends with its result', async () => {
    const here = await testHouse()
    const { id } = await work(here, 'it')
    const ended = await here.house.jobs.ended(id, never)
    expect(ended).toMatchObject({ state: 'done', share: 1, attempts: 1, actor: 'person:kim', error: null })
    expect(ended.result).toEqual({ first: 'it 1', second: 'it 2' })
    const kinds = (await here.timeline.read({ correlation: id })).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind !== 'operations.called')).toEqual([
      'jobs.requested',
      'jobs.begun',
      'jobs.step-done',
      'jobs.step-done',
      'jobs.ended',
    ])
  })

  test('that fails says why', async () => {
    const here = await testHouse()
    const { id } = await work(here, 'fail')
    expect(await here.house.jobs.ended(id, never)).toMatchObject({
      state: 'failed',
      says: 'it failed',
      error: { code: 'kernel.unexpected', message: 'it failed' },
    })
  })

  test('is followed with its progress to its end', async () => {
    const here = await houseWith(async (_, call) => {
      call.progress(0.25, 'a quarter')
      await systemClock.sleep(150)
      call.progress(0.75, 'three quarters')
      await systemClock.sleep(150)
      return done
    })
    const { id } = await work(here, 'it')
    const seen: string[] = []
    for await (const { says } of here.house.jobs.follow(id, never)) seen.push(says)
    expect(seen).toEqual(expect.arrayContaining(['a quarter', 'three quarters', 'done']))
    expect(seen.at(-1)).toBe('done')
  })

  test('that reports progress a thousand times sends a slow reader only some', async () => {
    const here = await houseWith(async (_, call) => {
      for (let number = 0; number < 1000; number++) {
        call.progress(number / 1000, `at ${number}`)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return done
    })
    const { id } = await work(here, 'it')
    let seen = 0
    for await (const _ of here.house.jobs.follow(id, never)) seen++
    expect(seen).toBeLessThan(50)
  })

  test('is cancelled by its signal', async () => {
    const here = await houseWith(async (_, { signal }) => aborted(signal))
    const { id } = await work(here, 'it')
    await settle()
    await here.house.jobs.cancel(id, 'person:lee')
    expect(await here.house.jobs.ended(id, never)).toMatchObject({ state: 'cancelled' })
    expect((await here.facts('jobs.cancel-requested'))[0]).toMatchObject({ actor: 'person:lee' })
    expect(await here.house.jobs.cancel(id, 'person:lee')).toMatchObject({ state: 'cancelled' })
    expect((await here.facts('jobs.cancel-requested')).length).toBe(1)
  })

  test('cannot be cancelled by somebody who may not call its operation', async () => {
    const admin = { ...testOperations.work, permission: 'administer' as const }
    const here = await testHouse({
      catalogue: [...testCatalogue.filter(({ name }) => !name.startsWith('test.')), admin],
      bindings: () => [bindJob(admin as never, async (_, call) => aborted(call.signal) as never)],
    })
    const owner = somebody('administer')
    const answer = await callAs(here.house, owner, { operation: 'test.work', input: { what: 'it' } })
    if (answer.kind !== 'job') throw new Error('no job')
    const cancel = callAs(here.house, kim, { operation: 'jobs.cancel', input: { job: answer.job.id } })
    await expect(cancel).rejects.toMatchObject({ code: 'access.denied' })
  })

  test('that is unknown is said so, with names of object properties too', async () => {
    const here = await testHouse()
    for (const job of ['nothing', 'constructor', '__proto__']) {
      const call = callAs(here.house, kim, { operation: 'jobs.get', input: { job } })
      await expect(call).rejects.toMatchObject({ code: 'jobs.unknown' })
    }
  })

  test('takes each step once, and a result that is too large is refused', async () => {
    const twice = await houseWith(async (_, call) => {
      await call.step('a', () => Promise.resolve({}))
      await call.step('a', () => Promise.resolve({}))
      return done
    })
    const first = await work(twice, 'it')
    expect((await twice.house.jobs.ended(first.id, never)).error?.message).toContain('taken twice')
    const large = await houseWith(async (_, call) => {
      await call.step('a', () => Promise.resolve({ text: 'x'.repeat(70_000) }))
      return done
    })
    const second = await work(large, 'it')
    expect((await large.house.jobs.ended(second.id, never)).error?.message).toContain('larger than')
  })
})

describe('an idempotency key', () => {
  test('gives the same job for a day, also for two at the same instant', async () => {
    const clock = virtualClock()
    const timeline = slowTimeline(memoryTimeline({ clock }))
    const here = await houseWith(() => Promise.resolve(done), { clock, timeline })
    const [one, two] = await Promise.all([work(here, 'it', 'k'), work(here, 'it', 'k')])
    expect(two.id).toBe(one.id)
    await clock.advance(idempotencyLifeMs - 1)
    expect((await work(here, 'it', 'k')).id).toBe(one.id)
    await clock.advance(1)
    expect((await work(here, 'it', 'k')).id).not.toBe(one.id)
  })

  test('with another input is refused', async () => {
    const here = await houseWith(() => Promise.resolve(done))
    const { id } = await work(here, 'it', 'k')
    await here.house.jobs.ended(id, never)
    await expect(work(here, 'other', 'k')).rejects.toMatchObject({ code: 'jobs.idempotency-conflict' })
  })

  test('is its caller\u2019s own, and survives a restart', async () => {
    const clock = virtualClock()
    const timeline = memoryTimeline({ clock })
    const here = await houseWith(() => Promise.resolve(done), { clock, timeline })
    const { id } = await work(here, 'it', 'k')
    const other = await callAs(here.house, somebody('operate', 'person:lee'), {
      operation: 'test.work',
      input: { what: 'it' },
      idempotencyKey: 'k',
    })
    expect(other.kind === 'job' && other.job.id !== id).toBe(true)
    await here.house.stop()
    const next = await houseWith(() => Promise.resolve(done), { clock, timeline })
    expect((await work(next, 'it', 'k')).id).toBe(id)
  })
})

describe('many jobs', () => {
  test('run four at once, the others wait, and more than a hundred waiting are refused', async () => {
    let running = 0
    let most = 0
    const release = new AbortController()
    const here = await houseWith(async () => {
      most = Math.max(most, ++running)
      await aborted(release.signal).catch(() => undefined)
      running--
      return done
    })
    const jobs: Job[] = []
    for (let number = 0; number < 104; number++) jobs.push(await work(here, `job ${number}`))
    await settle()
    expect(here.house.jobs.counts()).toEqual({ running: 4, waiting: 100 })
    await expect(work(here, 'one more')).rejects.toMatchObject({ code: 'jobs.queue-full' })
    const last = jobs.at(-1)?.id ?? ''
    expect(await here.house.jobs.cancel(last, 'x')).toMatchObject({ state: 'cancelled', attempts: 0 })
    release.abort()
    await here.house.jobs.ended(jobs.at(-2)?.id ?? '', never)
    expect(most).toBe(4)
    expect(here.house.jobs.list(3).map(({ id }) => id)).toEqual(
      jobs
        .slice(-3)
        .toReversed()
        .map(({ id }) => id),
    )
  })

  test('that have ended are kept up to a bound', () => {
    let state = jobsFold.initial
    const step = (sequence: number, kind: string, data: JsonObject): void => {
      const rest = {
        id: '',
        at: sequence,
        severity: 'info',
        subject: null,
        actor: 'x',
        correlation: null,
        hash: '',
      }
      state = jobsFold.step(state, { ...rest, sequence, kind, data } as Fact)
    }
    for (let number = 1; number <= keptEndedJobs + 20; number++) {
      const job = { job: `j${number}`, operation: 'test.work' }
      step(2 * number, 'jobs.requested', { ...job, input: {}, idempotencyKey: null })
      if (number !== 1)
        step(2 * number + 1, 'jobs.ended', { ...job, outcome: 'done', result: null, error: null })
    }
    expect(Object.keys(state.jobs)).toHaveLength(keptEndedJobs + 1)
    expect(state.jobs['j1']?.outcome).toBeNull()
    expect(state.jobs['j2']).toBeUndefined()
  })
})

describe('a restart of control', () => {
  const restarted = async (timeline: Timeline, act: Act): Promise<TestHouse> => houseWith(act, { timeline })

  test('goes on after the steps that are done', async () => {
    const timeline = memoryTimeline()
    const log: string[] = []
    const act: Act = async (_, call) => {
      await call.step('first', async () => {
        log.push(`first ${call.jobId}`)
        return {}
      })
      if (log.length < 2) {
        log.push('stuck')
        return aborted(call.signal)
      }
      return done
    }
    const here = await restarted(timeline, act)
    const { id } = await work(here, 'it')
    await settle()
    await here.house.stop()
    expect(here.house.jobs.get(id).endedAt).toBeNull()
    const next = await restarted(timeline, act)
    expect(await next.house.jobs.ended(id, never)).toMatchObject({ state: 'done', attempts: 2 })
    expect(log).toEqual([`first ${id}`, 'stuck'])
  })

  test('ends a job that was asked to stop without running it', async () => {
    const timeline = memoryTimeline()
    const deaf = await restarted(timeline, () => new Promise(() => undefined))
    const { id } = await work(deaf, 'it')
    await settle()
    await deaf.house.jobs.cancel(id, 'person:kim')
    // The first house is abandoned as a kill would leave it.
    const next = await restarted(timeline, () => Promise.reject(new Error('it ran')))
    expect(await next.house.jobs.ended(id, never)).toMatchObject({ state: 'cancelled', attempts: 1 })
  })

  test(`gives a job up after ${maxAttempts} attempts`, async () => {
    const timeline = memoryTimeline()
    const hanging: Act = () => new Promise(() => undefined)
    const first = await restarted(timeline, hanging)
    const { id } = await work(first, 'it')
    for (let number = 1; number < maxAttempts; number++) {
      await settle()
      await restarted(timeline, hanging)
    }
    await settle()
    const last = await restarted(timeline, hanging)
    const ended = await last.house.jobs.ended(id, never)
    expect(ended).toMatchObject({ state: 'failed', attempts: maxAttempts, error: { code: 'jobs.gave-up' } })
  })

  test('with a version that has no such operation ends the job', async () => {
    const timeline = memoryTimeline()
    const here = await restarted(timeline, () => new Promise(() => undefined))
    const { id } = await work(here, 'it')
    await settle()
    const without = testCatalogue.filter(({ name }) => !name.startsWith('test.'))
    const next = await testHouse({ timeline, catalogue: without, bindings: () => [] })
    expect(await next.house.jobs.ended(id, never)).toMatchObject({
      state: 'failed',
      error: { code: 'operations.unknown' },
    })
  })

  test('records the end later when the disk is full for a moment', async () => {
    const clock = virtualClock()
    const timeline = memoryTimeline({ clock })
    let failures = 2
    const flaky: Timeline = {
      ...timeline,
      append: (facts) =>
        facts[0]?.kind === 'jobs.ended' && failures-- > 0
          ? Promise.reject(new Error('disk full'))
          : timeline.append(facts),
    }
    const here = await houseWith(() => Promise.resolve(done), { clock, timeline: flaky })
    const { id } = await work(here, 'it')
    await clock.advance(10_000)
    expect(here.house.jobs.get(id).state).toBe('done')
    expect(here.logged.filter(({ level }) => level === 'error')).toHaveLength(2)
  })
})
