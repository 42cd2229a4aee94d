import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../kernel/std/index.ts'
import { createLimits, type LimitSettings, type LimitsOptions, type Limits } from './index.ts'

const opened: Limits[] = []

function open<const Settings extends LimitSettings>(settings: Settings, options: LimitsOptions = {}) {
  const clock = virtualClock()
  const lines: string[] = []
  const log = { warn: (text: string) => void lines.push(text) }
  const limits = createLimits(settings, { clock, log, processes: 1, ...options })
  opened.push(limits)
  return { limits, clock, lines }
}

afterEach(async () => {
  for (const limits of opened.splice(0)) await limits.close()
})

describe('taking', () => {
  test('admits as many as the limit says, and then says why not and until when', async () => {
    const { limits, clock } = open({ 'email.send': '2/hour per user' })
    const first = await limits.take('email.send', { user: '42' })
    expect(first).toMatchObject({
      admitted: true,
      limit: 'email.send',
      rule: '2/hour per user',
      remaining: 1,
      because: '',
    })
    expect(first.resetsAt).toBe(clock.now() + 1_800_000)
    expect(limits.takeNow('email.send', { user: 42 }).admitted).toBe(true)
    const refused = await limits.take('email.send', { user: '42' })
    expect(refused).toMatchObject({ admitted: false, retryAfterMs: 1_800_000, remaining: 0 })
    expect(refused.because).toBe(
      'email.send allows 2/hour per user; user 42 has used 2 of 2; try again in 30 min.',
    )
    expect((await limits.take('email.send', { user: '43' })).admitted).toBe(true)
    await clock.advance(1_800_000)
    expect((await limits.take('email.send', { user: '42' })).admitted).toBe(true)
  })

  test('all rules of a limit have to admit, and a refusal takes from none', async () => {
    const { limits } = open({ mail: ['3/hour per user', '4/day per guild'] })
    const take = (user: string) => limits.take('mail', { user, guild: 7 })
    for (const user of ['a', 'a', 'a']) expect((await take(user)).admitted).toBe(true)
    expect(await take('a')).toMatchObject({ admitted: false, rule: '3/hour per user' })
    expect((await take('b')).admitted).toBe(true)
    expect(await take('b')).toMatchObject({ admitted: false, rule: '4/day per guild' })
    expect(limits.explain({ user: 'b', guild: 7 }).standing).toMatchObject([{ used: 1 }, { used: 4 }])
  })

  test('several limits together: from all or from none', () => {
    const { limits } = open({ slow: '1/hour', fast: '9/hour' })
    const both = [
      { limit: 'slow', by: {} },
      { limit: 'fast', by: {}, cost: 2 },
    ] as const
    expect(limits.takeAllNow(both).admitted).toBe(true)
    expect(limits.takeAllNow(both)).toMatchObject({ admitted: false, limit: 'slow' })
    expect(limits.takeNow('fast', {}).remaining).toBe(6)
  })

  test('subjects of several dimensions never fall together', () => {
    const { limits } = open({ chat: '1/min per user and guild' })
    expect(limits.takeNow('chat', { user: '1', guild: '23' }).admitted).toBe(true)
    expect(limits.takeNow('chat', { user: '12', guild: '3' }).admitted).toBe(true)
    expect(limits.takeNow('chat', { user: '1:1', guild: '23' }).admitted).toBe(true)
    expect(limits.takeNow('chat', { user: '1', guild: '23' }).admitted).toBe(false)
  })

  test('a cost that never fits is refused for good', () => {
    const { limits } = open({ upload: '10/min' })
    const verdict = limits.takeNow('upload', {}, { cost: 11 })
    expect(verdict.retryAfterMs).toBe(Number.POSITIVE_INFINITY)
    expect(verdict.because).toBe(
      'upload allows 10/min; everybody together asked for 11 at once, which is never admitted.',
    )
  })

  test('a dry run admits and says what it would have done', () => {
    const { limits } = open({ api: 'dry run 1/min per ip' })
    expect(limits.takeNow('api', { ip: '203.0.113.7' }).because).toBe('')
    const verdict = limits.takeNow('api', { ip: '203.0.113.7' })
    expect(verdict.admitted).toBe(true)
    expect(verdict.because).toBe('api would have refused ip 203.0.113.7 under dry run 1/min per ip.')
    expect(limits.explain({ ip: '203.0.113.7' }).refusals).toMatchObject([{ refused: false }])
  })

  test('a queue waits, in order, as long as its patience, and no more than it has places', async () => {
    const { limits, clock } = open({ api: '1/s queue 2 for 3s' })
    expect((await limits.take('api', {})).admitted).toBe(true)
    const order: string[] = []
    const take = async (name: string) => {
      const { admitted } = await limits.take('api', {})
      order.push(`${name} ${admitted}`)
    }
    const all = Promise.all(['a', 'b', 'c'].map(take))
    await clock.advance(0)
    expect(order).toEqual(['c false'])
    await clock.advance(1000)
    expect(order).toEqual(['c false', 'a true'])
    await clock.advance(1000)
    await all
    expect(order).toEqual(['c false', 'a true', 'b true'])
  })

  test('mistakes in a call are thrown, with a hint', async () => {
    const { limits } = open({ 'email.send': '2 in any hour per user' })
    const anyLimits: Limits = limits
    await expect(anyLimits.take('email.sent', {})).rejects.toMatchObject({
      code: 'limit.unknown',
      hint: 'Did you mean "email.send"?',
    })
    expect(() => limits.takeNow('email.send', {})).toThrow('counts per user')
    expect(() => limits.takeNow('email.send', { user: '' })).toThrow('counts per user')
    expect(() => limits.takeNow('email.send', { user: 'x'.repeat(201) })).toThrow('counts per user')
    expect(() => limits.takeNow('email.send', { user: 1 }, { cost: 0 })).toThrow('cannot cost 0')
    expect(() => limits.takeNow('email.send', { user: 1 }, { cost: 17 })).toThrow('cannot cost 17')
    expect(() => createLimits({ mail: '20 per hour' })).toThrow('cannot be read')
    expect(() => createLimits({ mail: [] })).toThrow('has no rule')
  })
})

describe('reserving', () => {
  test('what goes on at once is over with commit, cancel or the end of the lease', async () => {
    const { limits, clock } = open({ 'export.run': '1 at once per user' })
    const reserve = () => limits.reserve('export.run', { user: 1 }, { leaseMs: 300_000 })
    const first = await reserve()
    expect(first).toMatchObject({ admitted: true, endsAt: clock.now() + 300_000 })
    expect((await reserve()).admitted).toBe(false)
    await first.commit()
    const second = await reserve()
    expect(second.admitted).toBe(true)
    await second.cancel()
    await second.cancel()
    expect((await reserve()).admitted).toBe(true)
    await clock.advance(290_000)
    expect((await reserve()).admitted).toBe(false)
    await clock.advance(11_000)
    expect((await reserve()).admitted).toBe(true)
  })

  test('of other limits, what was not used comes back', async () => {
    const { limits, clock } = open({ tokens: '10/day per user' })
    const used = () => limits.explain({ user: 1 }).standing[0]?.used
    const reserve = (cost: number) => limits.reserve('tokens', { user: 1 }, { cost })
    await (await reserve(4)).cancel()
    expect(used()).toBe(0)
    const { id } = await reserve(4)
    await limits.resume(id).commit(1)
    await limits.resume(id).commit(4)
    expect(used()).toBe(1)
    await (await reserve(2)).commit(5)
    expect(used()).toBe(6)
    await limits.refund('tokens', { user: 1 }, { cost: 2 })
    expect(used()).toBe(4)
    await reserve(6)
    expect((await reserve(1)).admitted).toBe(false)
    await clock.advance(61_000)
    expect((await reserve(6)).admitted).toBe(true)
  })
})

describe('explaining', () => {
  test('names the last refusals of a subject, the newest first, and forgets the oldest', () => {
    const { limits, clock } = open(
      { mail: '1/day per user', chat: '1/day per user and guild' },
      { remembered: 3 },
    )
    for (const user of [1, 2, 3]) for (let take = 0; take < 2; take++) limits.takeNow('mail', { user })
    for (let take = 0; take < 2; take++) limits.takeNow('chat', { user: 3, guild: 9 })
    expect(limits.explain({ user: '3' }).refusals).toMatchObject([
      { limit: 'chat', by: { user: 3, guild: 9 }, at: clock.now(), refused: true },
      { limit: 'mail', retryAfterMs: 86_400_000 },
    ])
    expect(limits.explain().refusals.map(({ by }) => by['user'])).toEqual([3, 3, 2])
    expect(limits.explain({ user: 3 }).standing.map(({ limit }) => limit)).toEqual(['mail'])
  })
})

describe('several processes without control', () => {
  test('say at start what the bounds come to', () => {
    const { lines } = open(
      { 'email.send': ['20/hour per user', '6 in any day per user'], run: '2 at once' },
      { processes: 4 },
    )
    expect(lines).toEqual([
      'email.send: 20/hour per user in each of 4 processes: at most 80/hour',
      'email.send: 6 in any day per user in each of 4 processes: at most 24 in any day',
      'run: 2 at once in each of 4 processes: at most 8 at once',
    ])
    expect(open({ a: '1/s' }, { processes: 1 }).lines).toEqual([])
  })
})
