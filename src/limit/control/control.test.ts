import { afterEach, describe, expect, test, vi } from 'vitest'
import { createLimits, type Limits, type LimitSettings, type LimitsOptions } from '../index.ts'
import type { ControlAddress } from '../port.ts'
import { fakeControl, type Call, type FakeControl, type Reply } from './fake-control.test-support.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

const admitted = {
  admitted: true,
  limit: 'mail',
  rule: '20/hour per user',
  retryAfterMs: 0,
  remaining: 7,
  resetsAt: null,
  because: null,
}
const refused = {
  ...admitted,
  admitted: false,
  retryAfterMs: 60_000,
  remaining: 0,
  because: 'Too many mails.',
}

/** Admits everything, one unit at a time and in leases. */
function generous({ operation, input }: Call): Reply {
  if (operation === 'limits.lease')
    return {
      body: { granted: input['units'], until: Date.now() + 60_000, retryAfterMs: null, because: null },
    }
  if (operation === 'limits.refund') return { body: { refunded: input['cost'] } }
  if (operation === 'limits.reserve')
    return { body: { ...admitted, id: input['id'], endsAt: Date.now() + 60_000 } }
  if (operation !== 'limits.take') return { body: {} }
  return { body: { verdicts: (input['takes'] as readonly unknown[]).map(() => admitted) } }
}

async function open<const Settings extends LimitSettings>(
  settings: Settings,
  { reply = generous, ...control }: Partial<ControlAddress> & { reply?: FakeControl['reply'] } = {},
) {
  const fake = await fakeControl(reply)
  cleanups.push(() => fake.close())
  const lines: string[] = []
  const limits = createLimits(settings, {
    control: { url: fake.url, token: 'secret', timeoutMs: 5000, ...control },
    processes: 2,
    log: { warn: (text) => void lines.push(text) },
  })
  cleanups.push(() => limits.close())
  return { limits, fake, lines }
}

const takes = (limits: Limits, count: number, by = (index: number) => ({ user: index })) =>
  Promise.all(Array.from({ length: count }, (_, index) => limits.take('mail', by(index))))

describe('takes from control', () => {
  test('go together, at most a hundred in a call, and each gets its own verdict', async () => {
    const { limits, fake } = await open({ mail: '20/hour per user' })
    fake.reply = ({ input }, request) => {
      expect(request.headers.authorization).toBe('Bearer secret')
      const wanted = input['takes'] as readonly { by: { user: string }; id: string }[]
      return { body: { verdicts: wanted.map(({ by }) => (by.user === '7' ? refused : admitted)) } }
    }
    const verdicts = await takes(limits, 150)
    expect(fake.calls.map(({ input }) => (input['takes'] as unknown[]).length)).toEqual([100, 50])
    expect(verdicts.filter((verdict) => !verdict.admitted)).toHaveLength(1)
    expect(verdicts[7]).toMatchObject({ admitted: false, retryAfterMs: 60_000, because: 'Too many mails.' })
    expect(limits.explain({ user: 7 }).refusals).toMatchObject([{ because: 'Too many mails.' }])
    const ids = fake.calls.flatMap(({ input }) => (input['takes'] as { id: string }[]).map(({ id }) => id))
    expect(new Set(ids).size).toBe(150)
  })

  test('keep their connections', async () => {
    const { limits, fake } = await open({ mail: '20/hour per user' })
    for (let round = 0; round < 5; round++) await takes(limits, 1)
    expect(fake.calls).toHaveLength(5)
    expect(fake.connections).toBe(1)
  })

  test('a refusal is believed for a moment, without another call', async () => {
    const { limits, fake } = await open(
      { mail: '20/hour per user' },
      { reply: () => ({ body: { verdicts: [refused] } }) },
    )
    const first = await limits.take('mail', { user: 1 })
    const second = await limits.take('mail', { user: 1 })
    expect([first.admitted, second.admitted]).toEqual([false, false])
    expect(second.retryAfterMs).toBeGreaterThan(50_000)
    expect(fake.calls).toHaveLength(1)
  })

  test("reservations and refunds are control's", async () => {
    const { limits, fake } = await open({ mail: '20/hour per user' })
    const held = await limits.reserve('mail', { user: 1 }, { cost: 3, id: 'r1', leaseMs: 5000 })
    await held.commit(2)
    await limits.reserve('mail', { user: 1 }, { id: 'r2' })
    await limits.resume('r2').cancel()
    await limits.refund('mail', { user: 1 }, { cost: 2, id: 'f1' })
    expect(fake.calls).toEqual([
      {
        operation: 'limits.reserve',
        input: { limit: 'mail', by: { user: '1' }, cost: 3, id: 'r1', leaseMs: 5000 },
      },
      { operation: 'limits.commit', input: { id: 'r1', cost: 2 } },
      {
        operation: 'limits.reserve',
        input: { limit: 'mail', by: { user: '1' }, cost: 1, id: 'r2', leaseMs: 60_000 },
      },
      { operation: 'limits.cancel', input: { id: 'r2' } },
      { operation: 'limits.refund', input: { limit: 'mail', by: { user: '1' }, cost: 2, id: 'f1' } },
    ])
  })

  test('several limits are one call of their own, and one verdict', async () => {
    const { limits, fake } = await open({ mail: '20/hour per user', all: '100/hour' })
    const refusal = { ...refused, limit: 'all' }
    fake.reply = () => ({ body: { verdicts: [refusal] } })
    const both = [
      { limit: 'mail', by: { user: 1 }, cost: 2, id: 'a' },
      { limit: 'all', by: {} },
    ] as const
    expect(await limits.takeAll(both)).toMatchObject({ admitted: false, limit: 'all' })
    expect(fake.calls).toMatchObject([
      {
        operation: 'limits.take',
        input: {
          takes: [
            { limit: 'mail', by: { user: '1' }, cost: 2, id: 'a' },
            { limit: 'all', by: {}, cost: 1, id: expect.stringMatching(/^.{36}$/) },
          ],
          together: true,
        },
      },
    ])
    // Whoever hammers costs one call a second.
    expect(await limits.takeAll(both)).toMatchObject({ admitted: false, limit: 'all' })
    expect(fake.calls).toHaveLength(1)
    expect(limits.explain({ user: 1 }).refusals).toEqual([])
    expect(limits.explain().refusals).toMatchObject([{ limit: 'all' }, { limit: 'all' }])
  })
})

describe('the control that the environment names', () => {
  const variables = ['HOLDFAST_URL', 'HOLDFAST_TOKEN'] as const

  async function named(options: LimitsOptions, leftOut?: string) {
    const fake = await fakeControl(generous)
    cleanups.push(() => fake.close())
    for (const name of variables) vi.stubEnv(name, name === leftOut ? '' : `${fake.url}/`)
    cleanups.push(() => Promise.resolve(vi.unstubAllEnvs()).then(() => undefined))
    const lines: string[] = []
    const log = { warn: (text: string) => void lines.push(text) }
    const limits = createLimits({ mail: '20/hour per user' }, { processes: 2, log, ...options })
    cleanups.push(() => limits.close())
    return { limits, fake, lines }
  }

  test('counts when both variables are there and nothing else was said, and a line says so', async () => {
    const { limits, fake, lines } = await named({})
    expect(limits.isLocal).toBe(false)
    expect((await limits.take('mail', { user: 1 })).remaining).toBe(7)
    expect(fake.calls).toHaveLength(1)
    expect(lines).toEqual([`limits: control at ${fake.url}/ counts, as HOLDFAST_URL says`])
  })

  test.each([
    ['it is not wanted', { control: false } as const, undefined],
    ['there is no token', {}, 'HOLDFAST_TOKEN'],
    ['there is no URL', {}, 'HOLDFAST_URL'],
  ])('does not when %s', async (_, options, leftOut) => {
    const { limits, fake, lines } = await named(options, leftOut)
    expect(limits.isLocal).toBe(true)
    expect((await limits.take('mail', { user: 1 })).remaining).toBe(19)
    expect(fake.calls).toEqual([])
    expect(lines).toEqual(['mail: 20/hour per user in each of 2 processes: at most 40/hour'])
  })

  test('yields to what the program says', async () => {
    const theirs = await named({})
    const { limits, fake, lines } = await open({ mail: '20/hour per user' })
    await limits.take('mail', { user: 1 })
    expect([fake.calls.length, theirs.fake.calls.length, lines.length]).toEqual([1, 0, 0])
  })
})

describe('leases', () => {
  test('a busy subject is decided here, and the rest goes back at close', async () => {
    const { limits, fake } = await open({ mail: '10000/hour per user' })
    const same = () => ({ user: 1 })
    await takes(limits, 50, same)
    await takes(limits, 1, same)
    const [lease] = fake.calls.filter(({ operation }) => operation === 'limits.lease')
    expect(lease?.input).toMatchObject({ limit: 'mail', by: { user: '1' } })
    const units = Number(lease?.input['units'])
    expect(units).toBeGreaterThanOrEqual(20)
    const before = fake.calls.length
    const verdicts = await takes(limits, 5, same)
    expect(verdicts.every((verdict) => verdict.admitted)).toBe(true)
    const after = fake.calls.filter(({ operation }) => operation === 'limits.take')
    expect(after.length).toBeLessThanOrEqual(before)
    await limits.close()
    const leased = fake.calls.filter(({ operation }) => operation === 'limits.lease')
    const back = fake.calls.filter(({ operation }) => operation === 'limits.refund')
    const sum = (calls: readonly Call[], key: string) =>
      calls.reduce((total, { input }) => total + Number(input[key]), 0)
    const taken = fake.calls
      .filter(({ operation }) => operation === 'limits.take')
      .reduce((total, { input }) => total + (input['takes'] as unknown[]).length, 0)
    // What control counts in the end is exactly what was admitted.
    expect(taken + sum(leased, 'units') - sum(back, 'cost')).toBe(56)
  })

  test('nothing is leased for what goes on at once, nor of small bounds', async () => {
    const { limits, fake } = await open({ mail: '90/hour per user' })
    await takes(limits, 60, () => ({ user: 1 }))
    await takes(limits, 10, () => ({ user: 1 }))
    expect(fake.calls.every(({ operation }) => operation === 'limits.take')).toBe(true)
  })
})

describe('without control', () => {
  const gone = { url: 'http://127.0.0.1:9', token: 'x' }

  function openAway<const Settings extends LimitSettings>(settings: Settings) {
    const lines: string[] = []
    const limits = createLimits(settings, {
      control: gone,
      processes: 2,
      log: { warn: (text) => void lines.push(text) },
    })
    cleanups.push(() => limits.close())
    return { limits, lines }
  }

  test('each limit does what it was told: its share, all, or nothing', async () => {
    const { limits, lines } = openAway({
      mail: '4/hour per user',
      chat: { limit: '4/hour', whenAway: 'open' },
      pay: { limit: '4/hour', whenAway: 'closed' },
      run: { limit: '2 at once', whenAway: 'local' },
    })
    const same = () => ({ user: 1 })
    expect((await takes(limits, 4, same)).map((verdict) => verdict.admitted)).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(
      (await Promise.all([1, 2, 3, 4, 5].map(() => limits.take('chat', {})))).every((each) => each.admitted),
    ).toBe(true)
    const pay = await limits.take('pay', {})
    expect(pay).toMatchObject({
      admitted: false,
      because: 'pay cannot be counted at the moment, and is closed until it can be.',
    })
    expect(pay.retryAfterMs).toBeGreaterThan(0)
    expect((await limits.reserve('pay', {})).admitted).toBe(false)
    const held = await limits.reserve('run', {})
    expect([held.admitted, (await limits.reserve('run', {})).admitted]).toEqual([true, false])
    await held.commit()
    expect((await limits.reserve('run', {})).admitted).toBe(true)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('control cannot be reached')
  })

  test('what control admitted counts in the share', async () => {
    const { limits, fake } = await open({ mail: '4/hour per user' }, { timeoutMs: 300 })
    await takes(limits, 2, () => ({ user: 1 }))
    await fake.close()
    expect((await limits.take('mail', { user: 1 })).admitted).toBe(false)
    expect((await limits.take('mail', { user: 2 })).admitted).toBe(true)
  })

  test.each<[string, Reply]>([
    ['silence', undefined],
    ['an error', { status: 503, body: { detail: 'busy' } }],
    ['nonsense', { body: { verdicts: [{ admitted: 'yes' }] } }],
    ['too few verdicts', { body: { verdicts: [] } }],
    ['a wrong token', { status: 401, body: { code: 'access.unauthenticated', detail: 'no' } }],
  ])('%s is as good as away', async (_, reply) => {
    const { limits, fake, lines } = await open(
      { mail: '4/hour per user' },
      { timeoutMs: 100, reply: () => reply },
    )
    expect((await takes(limits, 3, () => ({ user: 1 }))).map((each) => each.admitted)).toEqual([
      true,
      true,
      false,
    ])
    expect(fake.calls).toHaveLength(1)
    expect(lines).toHaveLength(1)
  })

  test('a limit that control does not know is decided here, the others are not', async () => {
    const { limits, fake, lines } = await open({ mail: '4/hour per user', new: '2/hour' })
    fake.reply = (call) => {
      const wanted = call.input['takes'] as readonly { limit: string }[]
      const isKnown = wanted.every(({ limit }) => limit === 'mail')
      return isKnown
        ? generous(call)
        : { status: 404, body: { code: 'limits.unknown', detail: 'no limit "new"' } }
    }
    const [mail, first] = await Promise.all([limits.take('mail', { user: 1 }), limits.take('new', {})])
    expect([mail.remaining, first.admitted]).toEqual([7, true])
    expect((await limits.take('new', {})).admitted).toBe(false)
    expect(lines).toEqual([expect.stringContaining('control does not decide about new')])
  })

  test('a reservation from a limit that control does not know asks it once, and is kept here', async () => {
    const { limits, fake, lines } = await open({ run: '1 at once' })
    fake.reply = () => ({ status: 404, body: { code: 'limits.unknown-limit', detail: 'no limit "run"' } })
    for (let round = 0; round < 3; round++) {
      const held = await limits.reserve('run', {})
      expect([held.admitted, (await limits.reserve('run', {})).admitted]).toEqual([true, false])
      await held.commit()
    }
    expect(fake.calls).toHaveLength(1)
    expect(lines).toEqual([expect.stringContaining('control does not decide about run')])
  })

  test('takes together follow the strictest of their limits', async () => {
    const { limits } = openAway({
      mail: '4/hour per user',
      chat: { limit: '1/hour', whenAway: 'open' },
      pay: { limit: '9/hour', whenAway: 'closed' },
    })
    const together = (...names: readonly ('mail' | 'chat' | 'pay')[]) =>
      limits.takeAll(names.map((limit) => ({ limit, by: { user: 1 } })))
    const open = [
      await together('mail', 'chat'),
      await together('chat', 'mail'),
      await together('mail', 'chat'),
    ]
    expect(open.map(({ admitted }) => admitted)).toEqual([true, true, false])
    expect(await together('chat', 'chat')).toMatchObject({ admitted: true })
    expect(await together('chat', 'pay')).toMatchObject({ admitted: false, limit: 'pay' })
  })

  test('the end of a reservation is said again until control hears it', async () => {
    const { limits, fake } = await open({ mail: '4/hour per user' })
    const held = await limits.reserve('mail', { user: 1 }, { id: 'r1' })
    fake.reply = () => ({ status: 503, body: {} })
    await held.commit(1)
    fake.reply = generous
    const commits = () => fake.calls.filter(({ operation }) => operation === 'limits.commit')
    const deadline = Date.now() + 10_000
    while (commits().length < 2 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(commits()).toHaveLength(2)
    expect(commits()[1]?.input).toEqual({ id: 'r1', cost: 1 })
  })

  test('control is found again, by one call', async () => {
    const { limits, fake, lines } = await open(
      { mail: '100/hour per user' },
      { timeoutMs: 2000, reply: () => ({ status: 503, body: {} }) },
    )
    await takes(limits, 1)
    expect(fake.calls).toHaveLength(1)
    fake.reply = generous
    const deadline = Date.now() + 10_000
    while (lines.length < 2 && Date.now() < deadline) {
      await takes(limits, 20)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(lines[1]).toBe('limits: control is reached again; it decides')
    expect((await limits.take('mail', { user: 999 })).remaining).toBe(7)
  })
})
