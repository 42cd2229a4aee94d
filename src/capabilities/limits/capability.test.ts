import { afterEach, describe, expect, test } from 'vitest'
import { operationCatalogue } from '../../contracts/index.ts'
import { virtualClock } from '../../kernel/std/index.ts'
import { memoryTimeline, type Timeline } from '../../kernel/timeline/index.ts'
import { memoryJournal } from '../../providers/limit-journal/index.ts'
import { callAs, somebody, testHouse, type TestHouse } from '../../../test/support/control/house.ts'
import { limits } from './index.ts'
import type { LimitJournal } from './ports.ts'

const section = limits.config.parse({
  'email.send': '20/hour per user',
  'export.run': ['2 at once per user', '50/day resets 00:00 Europe/Vienna'],
  'chat.message': { limit: '5/10s per user', fast: true },
})

const app = somebody('use', 'token:shop')
const admin = somebody('operate', 'person:kim')
const by = { user: '1' }
const open: TestHouse[] = []

afterEach(async () => {
  for (const { house } of open.splice(0)) await house.stop()
})

const clockAt = () => virtualClock(Date.UTC(2026, 5, 1, 12))

interface Over {
  readonly journal?: LimitJournal
  readonly clock?: ReturnType<typeof clockAt>
  readonly timeline?: Timeline
}

async function world(over: Over = {}) {
  const clock = over.clock ?? clockAt()
  const journal = over.journal ?? memoryJournal()
  const here = await testHouse({
    clock,
    timeline: over.timeline ?? memoryTimeline({ clock }),
    capabilities: (context) => [limits.create(section, context, { journal })],
    bindings: () => [],
    catalogue: operationCatalogue.filter(({ name }) => !/^(?:environment|edge)\./.test(name)),
  })
  open.push(here)
  const call = async (operation: string, input: object, caller = app) => {
    const answer = await callAs(here.house, caller, { operation, input })
    return (answer as { value: Record<string, unknown> }).value
  }
  const take = async (input: object) => {
    const { verdicts } = await call('limits.take', { takes: [{ limit: 'email.send', by, ...input }] })
    return (verdicts as Record<string, unknown>[])[0]
  }
  return { ...here, clock, journal, call, take }
}

/** A journal that fails as long as somebody says so. */
function unreliable(): { journal: LimitJournal; fails: { now: boolean }; written: string[] } {
  const inner = memoryJournal()
  const fails = { now: false }
  const written: string[] = []
  const guard = () => (fails.now ? Promise.reject(new Error('no space')) : Promise.resolve())
  return {
    fails,
    written,
    journal: {
      ...inner,
      append: async (entries) => {
        await guard()
        written.push(...entries)
        await inner.append(entries)
      },
      save: async (...saved) => {
        await guard()
        await inner.save(...saved)
      },
    },
  }
}

describe('the section', () => {
  test.each([
    [{ 'email.send': '20/fortnight' }, 'limit.unreadable', 'limits.email.send'],
    [{ a: { limit: ['1/s', 'no'], fast: true } }, 'limit.unreadable', 'limits.a.limit.1'],
    [{ a: ['1/s', '1/s'] }, 'configuration.invalid', 'limits.a'],
    [{ a: '1/s per header x-tenant' }, 'configuration.invalid', 'limits.a'],
    [{ a: '1/s per user queue 5 for 1s' }, 'configuration.invalid', 'limits.a'],
  ])('refuses %j with its path and a hint', (wrong, code, path) => {
    const compile = () => limits.compile(limits.config.parse(wrong))
    expect(compile).toThrow(expect.objectContaining({ code, path, hint: expect.any(String) as string }))
  })
})

describe('takes', () => {
  test('are decided one by one and leave no fact each', async () => {
    const { call, facts } = await world()
    const takes = [1, 15, 10, 4].map((cost) => ({ limit: 'email.send', by, cost }))
    const { verdicts } = await call('limits.take', { takes })
    expect((verdicts as { admitted: boolean }[]).map(({ admitted }) => admitted)).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(await facts('operations.called')).toEqual([])
  })

  test.each([
    [{ limit: 'email.sent' }, 'limits.unknown-limit', 'did you mean "email.send"?'],
    [{ by: { guild: '7' } }, 'limits.missing-dimension', 'it counts by user: send by: { user: "..." }'],
    [
      { limit: 'export.run' },
      'limits.needs-reservation',
      expect.stringContaining('limits.reserve') as string,
    ],
  ])('of %j are refused as a mistake, and none of the call is taken', async (wrong, code, hint) => {
    const { call, take } = await world()
    const takes = [
      { limit: 'email.send', by },
      { limit: 'email.send', by, ...wrong },
    ]
    await expect(call('limits.take', { takes })).rejects.toMatchObject({ code, hint })
    expect(await take({})).toMatchObject({ remaining: 19 })
  })

  test('together are one step: one verdict, one entry of the journal, one subject that is refused', async () => {
    const { journal, written } = unreliable()
    const { call, facts, clock } = await world({ journal })
    const together = (mail: object, chat: object) =>
      call('limits.take', {
        takes: [
          { limit: 'email.send', by, ...mail },
          { limit: 'chat.message', by, ...chat },
        ],
        together: true,
      })
    expect(await together({ cost: 15, id: 'a' }, { id: 'a' })).toMatchObject({
      verdicts: [{ admitted: true, limit: 'chat.message', remaining: 4 }],
    })
    await together({ cost: 15, id: 'a' }, { id: 'a' })
    expect(written).toHaveLength(1)
    const refusal = await together({ cost: 6 }, { cost: 4 })
    expect(refusal).toMatchObject({ verdicts: [{ admitted: false, limit: 'email.send' }] })
    expect(await together({ cost: 5 }, { cost: 4 })).toMatchObject({ verdicts: [{ admitted: true }] })
    await clock.advance(60_000)
    const [fact] = await facts('limits.refused')
    const units = { refused: 6, admitted: 5 }
    expect(fact?.data?.['entries']).toMatchObject([
      { limit: 'app.email.send', refused: 1, admitted: 1, units },
    ])
  })

  test('together that a ban refuses take nothing, and go on where they were after a restart', async () => {
    const first = await world()
    const mails = ['1', '2'].map((user) => ({ limit: 'email.send', by: { user } }))
    await first.call('limits.take', { takes: mails, together: true })
    await first.call('limits.ban', { subject: 'user:2', for: '1min', because: 'testing' }, admin)
    expect(await first.call('limits.take', { takes: mails, together: true })).toMatchObject({
      verdicts: [{ admitted: false, rule: null }],
    })
    const many = Array.from({ length: 17 }, () => ({ limit: 'email.send', by }))
    await expect(first.call('limits.take', { takes: many, together: true })).rejects.toMatchObject({
      code: 'limits.too-many-together',
    })
    await first.house.stop()
    open.length = 0
    const second = await world({ journal: first.journal, clock: first.clock })
    expect(await second.take({})).toMatchObject({ remaining: 18 })
  })

  test('that cannot be written down took nothing; fast ones go on for a thousand', async () => {
    const { journal, fails, written } = unreliable()
    const { take, clock } = await world({ journal })
    fails.now = true
    await expect(take({ cost: 5, id: 'a' })).rejects.toThrow()
    for (let user = 0; user < 1000; user++) {
      expect(await take({ limit: 'chat.message', by: { user: String(user) } })).toMatchObject({
        admitted: true,
      })
    }
    await expect(take({ limit: 'chat.message', by: { user: 'last' } })).rejects.toThrow()
    fails.now = false
    await clock.advance(100)
    expect(written).toHaveLength(1000)
    expect(await take({ cost: 5, id: 'a' })).toMatchObject({ admitted: true, remaining: 15 })
  })

  test('go on where they were after a restart', async () => {
    const first = await world()
    await first.take({ cost: 12, id: 'a' })
    await first.house.stop()
    open.length = 0
    const second = await world({ journal: first.journal, clock: first.clock })
    expect(await second.take({ cost: 12, id: 'a' })).toMatchObject({ admitted: true, remaining: 8 })
    expect(await second.take({})).toMatchObject({ remaining: 7 })
  })
})

describe('who may what', () => {
  test('an application takes but neither bans nor sees', async () => {
    const { call } = await world()
    const denied = { code: 'access.denied' }
    const ban = { subject: 'user:1', for: '1h', because: 'it spams' }
    await expect(call('limits.ban', ban)).rejects.toMatchObject(denied)
    await expect(call('limits.list', {})).rejects.toMatchObject(denied)
    const takes = [{ limit: 'email.send', by }]
    await expect(call('limits.take', { takes }, somebody('view'))).rejects.toMatchObject(denied)
    expect(await call('limits.take', { takes }, admin)).toBeDefined()
  })
})

describe('a ban', () => {
  test('refuses every take that names its subject until it ends', async () => {
    const { call, take, clock, facts } = await world()
    await call('limits.ban', { subject: 'guild:7', for: '1h', because: 'it spams' }, admin)
    const inGuild = { by: { user: '1', guild: '7' } }
    expect(await take(inGuild)).toMatchObject({
      admitted: false,
      rule: null,
      retryAfterMs: 3_600_000,
      because: 'guild:7 is banned for another 60 min: it spams',
    })
    expect(await take({})).toMatchObject({ admitted: true, remaining: 19 })
    const reserve = { limit: 'export.run', ...inGuild, id: 'a' }
    expect(await call('limits.reserve', reserve)).toMatchObject({ admitted: false, endsAt: null })
    expect(await call('limits.lease', { limit: 'email.send', ...inGuild, units: 5, id: 'a' })).toMatchObject({
      granted: 0,
    })
    expect((await facts('limits.banned'))[0]).toMatchObject({ actor: 'person:kim', subject: 'guild:7' })
    await clock.advance(3_600_000)
    expect(await take(inGuild)).toMatchObject({ admitted: true })
  })

  test('can be lifted, and is listed', async () => {
    const { call, take } = await world()
    await call('limits.ban', { subject: 'user:1', for: '1h', because: 'it spams' }, admin)
    expect(await call('limits.bans', {}, admin)).toMatchObject({
      bans: [{ subject: 'user:1', actor: 'person:kim' }],
    })
    const unban = { subject: 'user:1', because: 'a mistake' }
    expect(await call('limits.unban', unban, admin)).toEqual({ unbanned: true })
    expect(await call('limits.unban', unban, admin)).toEqual({ unbanned: false })
    expect(await take({})).toMatchObject({ admitted: true })
  })
})

describe('an override', () => {
  const wanted = {
    limit: 'email.send',
    subject: 'user:1',
    rule: '3/hour per user',
    for: '2h',
    because: 'a trial',
  }

  test('decides for its subject and nobody else, until it ends or is lifted', async () => {
    const { call, take, clock } = await world()
    await call('limits.override', wanted, admin)
    expect(await take({ cost: 3 })).toMatchObject({ admitted: true, rule: '3/hour per user', remaining: 0 })
    expect(await take({})).toMatchObject({ admitted: false, rule: '3/hour per user' })
    expect(await take({ by: { user: '2' } })).toMatchObject({ remaining: 19 })
    expect(await call('limits.overrides', {}, admin)).toMatchObject({
      overrides: [{ limit: 'app.email.send' }],
    })
    await clock.advance(7_200_000)
    expect(await take({})).toMatchObject({ rule: '20/hour per user' })
    await call('limits.override', wanted, admin)
    const lift = { limit: 'email.send', subject: 'user:1', because: 'enough' }
    expect(await call('limits.lift-override', lift, admin)).toEqual({ lifted: true })
    expect(await take({})).toMatchObject({ rule: '20/hour per user' })
  })

  test.each([
    [{ limit: 'email.sent' }, 'limits.unknown-limit'],
    [{ rule: '3/hour per planet' }, 'limits.override-unfit'],
    [{ rule: '3 at once per user' }, 'limits.override-unfit'],
    [{ rule: 'three' }, 'limit.unreadable'],
    [{ until: 5 }, 'operations.invalid-input'],
  ])('with %j is refused', async (wrong, code) => {
    const { call } = await world()
    await expect(call('limits.override', { ...wanted, ...wrong }, admin)).rejects.toMatchObject({ code })
  })
})

describe('refusals', () => {
  test('become one fact a minute, those who were refused most first', async () => {
    const { take, facts, clock } = await world()
    for (let user = 0; user < 60; user++) {
      await take({ by: { user: String(user) }, cost: 20 })
      await take({ by: { user: String(user) }, cost: user + 1 })
    }
    await clock.advance(60_000)
    const [fact, ...more] = await facts('limits.refused')
    expect(more).toEqual([])
    const entries = fact?.data?.['entries'] as Record<string, unknown>[]
    expect(entries).toHaveLength(50)
    expect(fact?.data).toMatchObject({ door: 'app' })
    expect(entries[0]).toEqual({
      limit: 'app.email.send',
      rule: '20/hour per user',
      subject: 'user:59',
      refused: 1,
      admitted: 0,
      wouldRefuse: 0,
      units: { refused: 60, admitted: 0, wouldRefuse: 0 },
      routes: [],
    })
    await clock.advance(120_000)
    expect(await facts('limits.refused')).toHaveLength(1)
  })

  test('of a minute in which the process is killed the next one says all but the last seconds, once', async () => {
    const [timeline, journal] = [memoryTimeline({ clock: clockAt() }), memoryJournal()]
    const killed = await world({ timeline, journal })
    for (const cost of [20, 7, 8]) await killed.take({ cost })
    await killed.clock.advance(5000)
    await killed.take({ cost: 9 })
    await killed.clock.advance(1000)
    for (const times of ['once', 'twice']) {
      const next = await world({ timeline, journal })
      await next.clock.advance(0)
      const said = (await next.facts('limits.refused')).map(({ data }) => data)
      expect([times, said]).toMatchObject([times, [{ entries: [{ refused: 2, units: { refused: 15 } }] }]])
      expect(said[0]?.['until']).toBe(clockAt().now() + 5000)
    }
  })

  test('a draft of what was said already is not said again', async () => {
    const [timeline, inner] = [memoryTimeline({ clock: clockAt() }), memoryJournal()]
    // Killed after the fact and before the draft was taken back.
    const journal = {
      ...inner,
      keepDraft: async (text: string | null) => (text === null ? undefined : inner.keepDraft(text)),
    }
    const killed = await world({ timeline, journal })
    for (const cost of [20, 7]) await killed.take({ cost })
    await killed.clock.advance(60_000)
    const next = await world({ timeline, journal: inner })
    await next.clock.advance(0)
    expect(await next.facts('limits.refused')).toHaveLength(1)
    expect((await inner.open(0)).draft).toBeNull()
  })
})

describe('the list', () => {
  test('has every rule with its use', async () => {
    const { call, take, clock } = await world()
    await take({ cost: 20 })
    await take({})
    await clock.advance(2000)
    const { says, limits: listed } = await call('limits.list', {}, admin)
    expect(says).toContain('app.email.send refused something')
    expect((listed as { name: string }[]).map(({ name }) => name)).toEqual([
      'app.email.send',
      'app.export.run',
      'app.export.run',
      'app.chat.message',
    ])
    expect((listed as object[])[0]).toMatchObject({
      door: 'app',
      fast: false,
      admitted: { lastMinute: 1, lastHour: 1 },
      refused: { lastMinute: 1, lastHour: 1 },
    })
  })
})
