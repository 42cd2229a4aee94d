import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../kernel/std/index.ts'
import type { RememberedText } from '../ports.ts'
import { compileLimits } from '../rules.ts'
import { commandOf, entryOf, Ledger, Meter, readTable, type Command } from './index.ts'

const limits = compileLimits({
  'email.send': '20/hour per user',
  'chat.message': ['5 in any 10s per user', '100/day resets 00:00 Europe/Vienna per guild'],
  'export.run': ['2 at once per user', '50/day resets 00:00'],
  trial: 'dry run 1/hour per user',
})

const start = Date.UTC(2026, 5, 1, 12)
const by = { user: '1', guild: '7' }

function fresh(saved?: { readonly table: Uint8Array; readonly state: string }): Ledger {
  const table = saved === undefined ? null : readTable(limits, saved.table)
  if (table !== null && 'unusable' in table) throw new Error(table.unusable)
  const ledger = new Ledger(limits, new Meter(limits, seededRandom(1), table))
  if (saved !== undefined) ledger.restore(JSON.parse(saved.state) as never)
  return ledger
}

const take = (cost = 1, over: object = {}) =>
  ({ does: 'take', at: start, limit: 'email.send', by, override: null, cost, id: null, ...over }) as const
const reserve = (id: string, over: object = {}) =>
  ({
    does: 'reserve',
    at: start,
    limit: 'email.send',
    by,
    override: null,
    cost: 1,
    id,
    leaseMs: 60_000,
    ...over,
  }) as const
const left = (ledger: Ledger, limit = 'email.send', at = start) =>
  ledger.foresee({ at, limit, by, override: null, cost: 1 }).remaining

describe('a take', () => {
  test('says rule, what is left and why not', () => {
    const ledger = fresh()
    expect(ledger.run(take(19)).answer).toMatchObject({
      admitted: true,
      rule: '20/hour per user',
      remaining: 1,
    })
    const { answer, changed } = ledger.run(take(2))
    expect(answer).toMatchObject({ admitted: false, remaining: 1, retryAfterMs: 180_000 })
    expect(answer.because).toBe('20/hour per user is used up for user:1; try again in 3 min.')
    expect(changed).toBe(false)
    expect(ledger.run(take(21)).answer).toMatchObject({ admitted: false, retryAfterMs: null, remaining: 1 })
  })

  test('takes from all rules or from none', () => {
    const ledger = fresh()
    const chat = (user: string) => take(5, { limit: 'chat.message', by: { user, guild: '7' } })
    for (let user = 0; user < 20; user++) {
      expect(ledger.run(chat(String(user))).answer.admitted).toBe(true)
    }
    expect(ledger.run(chat('20')).answer).toMatchObject({
      admitted: false,
      rule: '100/day per guild resets 00:00 Europe/Vienna',
      resetsAt: Date.UTC(2026, 5, 1, 22),
    })
    expect(ledger.run({ ...chat('20'), at: Date.UTC(2026, 5, 1, 22) }).answer.admitted).toBe(true)
  })

  test('with an id is answered again and takes nothing again, for 24 hours', () => {
    const ledger = fresh()
    const first = ledger.run(take(5, { id: 'a' }))
    expect(ledger.run(take(5, { id: 'a', at: start + 10 }))).toMatchObject({
      answer: first.answer,
      changed: false,
      recalled: true,
    })
    expect(left(ledger)).toBe(15)
    const day = ledger.run(take(5, { id: 'a', at: start + 86_400_000 }))
    expect(day).toMatchObject({ changed: true, recalled: false })
  })

  test('that was refused under an id is decided anew', () => {
    const ledger = fresh()
    ledger.run(take(20))
    expect(ledger.run(take(1, { id: 'a' })).answer.admitted).toBe(false)
    expect(ledger.run(take(1, { id: 'a', at: start + 180_000 })).answer.admitted).toBe(true)
  })

  test('that is undone took nothing, and its id is free', () => {
    const ledger = fresh()
    const command = take(5, { id: 'a' })
    ledger.undo(command, ledger.run(command))
    expect(left(ledger)).toBe(20)
    expect(ledger.run(command)).toMatchObject({ changed: true })
  })

  test('under a dry run is admitted and reported', () => {
    const ledger = fresh()
    ledger.run(take(1, { limit: 'trial' }))
    const { answer, wouldRefuse } = ledger.run(take(1, { limit: 'trial' }))
    expect(answer).toMatchObject({ admitted: true, rule: null, remaining: null })
    expect(wouldRefuse).toEqual([{ limit: 'trial', rule: 'dry run 1/hour per user' }])
  })
})

describe('takes together', () => {
  const part = (limit: string, over: object = {}) => {
    const { does: _does, at: _at, ...one } = take(1, { limit, ...over })
    return one
  }
  const both = (mail: object, chat: object) =>
    ({
      does: 'takeAll',
      at: start,
      takes: [part('email.send', mail), part('chat.message', chat)],
    }) as const

  test('a refusal of the second leaves the first untouched, and names the second', () => {
    const ledger = fresh()
    expect(ledger.run(both({ cost: 3 }, { cost: 4 })).answer).toMatchObject({
      admitted: true,
      limit: 'chat.message',
      remaining: 1,
    })
    const { answer, changed, refused } = ledger.run(both({ cost: 3 }, { cost: 4 }))
    expect(answer).toMatchObject({ admitted: false, limit: 'chat.message', rule: '5 in any 10s per user' })
    expect([changed, refused?.limit]).toEqual([false, 'chat.message'])
    expect([left(ledger), left(ledger, 'chat.message')]).toEqual([17, 1])
  })

  test('of two subjects of one limit the refusal names the one that has not enough', () => {
    const ledger = fresh()
    ledger.run(take(20, { by: { user: '2' } }))
    const takes = ['1', '2'].map((user) => part('email.send', { by: { user } }))
    const { answer } = ledger.run({ does: 'takeAll', at: start, takes })
    expect(answer).toMatchObject({ admitted: false, because: expect.stringContaining('user:2') as string })
    const twice = [part('email.send', { cost: 12 }), part('email.send', { cost: 12 })]
    expect(ledger.run({ does: 'takeAll', at: start, takes: twice }).answer).toMatchObject({
      admitted: false,
      rule: '20/hour per user',
    })
    expect(left(ledger)).toBe(20)
  })

  test('are answered again under their ids, and what is undone took nothing', () => {
    const ledger = fresh()
    const command = both({ id: 'a' }, { id: 'a' })
    ledger.undo(command, ledger.run(command))
    expect([left(ledger), left(ledger, 'chat.message')]).toEqual([20, 5])
    const first = ledger.run(command)
    expect(ledger.run(command)).toMatchObject({ answer: first.answer, changed: false, recalled: true })
    expect(ledger.run(both({ id: 'a' }, {}))).toMatchObject({ changed: true, recalled: false })
    expect([left(ledger), left(ledger, 'chat.message')]).toEqual([18, 3])
  })
})

describe('a reservation', () => {
  test('comes back at the end of its lease, at cancel, and in part at commit', () => {
    const ledger = fresh()
    for (const [id, cost] of [
      ['a', 5],
      ['b', 5],
      ['c', 5],
    ] as const)
      ledger.run(reserve(id, { cost }))
    expect(left(ledger)).toBe(5)
    expect(ledger.run({ does: 'cancel', at: start, id: 'a' }).answer).toEqual({ cancelled: true })
    expect(left(ledger)).toBe(10)
    expect(ledger.run({ does: 'commit', at: start, id: 'b', cost: 2 }).answer).toEqual({
      id: 'b',
      cost: 2,
      debt: 0,
    })
    expect(left(ledger)).toBe(13)
    const later = start + 60_100
    expect(left(ledger, 'email.send', later)).toBe(18)
    expect(() => ledger.run({ does: 'commit', at: later, id: 'c', cost: null })).toThrow(
      'no open reservation',
    )
  })

  test('bounds what goes on at once, and commit makes room', () => {
    const ledger = fresh()
    const run = (id: string) => ledger.run(reserve(id, { limit: 'export.run' })).answer
    expect([run('a'), run('b'), run('c')].map(({ admitted }) => admitted)).toEqual([true, true, false])
    ledger.run({ does: 'commit', at: start, id: 'a', cost: null })
    expect(run('c')).toMatchObject({ admitted: true, endsAt: start + 60_000 })
    const { used } = ledger.meter.standing(
      ledger.meter.charges(limits[2] as never, by, null)?.[1] as never,
      start,
    )
    expect(used).toBe(3)
  })

  test('lives as long as it is renewed', () => {
    const ledger = fresh()
    ledger.run(reserve('a', { limit: 'export.run', cost: 2 }))
    for (let at = start; at < start + 4 * 86_400_000; at += 43_200_000) {
      ledger.run({ does: 'renew', at, id: 'a', leaseMs: 86_400_000 })
      expect(ledger.run(reserve('b', { limit: 'export.run', at })).answer.admitted).toBe(false)
    }
    const end = start + 5 * 86_400_000
    expect(ledger.run(reserve('b', { limit: 'export.run', at: end })).answer.admitted).toBe(true)
  })

  test('that costs more than was left becomes a debt, which later takes pay first', () => {
    const ledger = fresh()
    ledger.run(reserve('a', { cost: 15 }))
    expect(ledger.run({ does: 'commit', at: start, id: 'a', cost: 30 }).answer).toEqual({
      id: 'a',
      cost: 30,
      debt: 10,
    })
    const hour = 3_600_000
    expect(ledger.run(take(1)).answer).toMatchObject({ admitted: false, remaining: 0 })
    expect(ledger.run(take(1, { at: start + hour / 4 })).answer.admitted).toBe(false)
    const paid = ledger.run(take(1, { at: start + 0.6 * hour })).answer
    expect(paid.admitted).toBe(true)
  })

  test('keeps its id to itself', () => {
    const ledger = fresh()
    const { answer } = ledger.run(reserve('a'))
    expect(ledger.run(reserve('a', { at: start + 5 })).answer).toEqual(answer)
    expect(() => ledger.run(reserve('a', { by: { user: '2' } }))).toThrow('another limit or subject')
    expect(() => ledger.run(reserve('a', { limit: 'export.run' }))).toThrow('another limit or subject')
  })
})

describe('a lease', () => {
  const lease = (units: number, id: string, at = start) =>
    ({ does: 'lease', at, limit: 'email.send', by, override: null, units, id }) as const

  test('grants what is left, and what is not spent comes back once', () => {
    const ledger = fresh()
    expect(ledger.run(lease(15, 'a')).answer).toMatchObject({ granted: 15, until: start + 60_000 })
    expect(ledger.run(lease(15, 'b')).answer).toMatchObject({ granted: 5 })
    expect(ledger.run(lease(15, 'c')).answer).toMatchObject({ granted: 0, retryAfterMs: 180_000 })
    const refund = { ...take(), does: 'refund', cost: 7, id: 'a' } as const
    expect(ledger.run(refund).answer).toEqual({ refunded: 7 })
    expect(ledger.run(refund)).toMatchObject({ answer: { refunded: 7 }, changed: false })
    expect(left(ledger)).toBe(7)
  })
})

const commands: fc.Arbitrary<Command> = fc
  .record({
    does: fc.constantFrom('take', 'takeAll', 'reserve', 'lease', 'refund', 'commit', 'cancel', 'renew'),
    limit: fc.constantFrom('email.send', 'chat.message', 'export.run'),
    by: fc.record({ user: fc.constantFrom('1', '2'), guild: fc.constantFrom('7', '8') }),
    cost: fc.integer({ min: 1, max: 6 }),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    leaseMs: fc.integer({ min: 1000, max: 100_000 }),
  })
  .map((parts): Command => {
    const one = { ...parts, override: null }
    return { ...one, at: 0, units: parts.cost, takes: [one, { ...one, limit: 'email.send' }] }
  })

describe('what was written down', () => {
  test('comes to the same when it is done again, from the beginning or from a snapshot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(commands, fc.nat({ max: 20_000 })), { maxLength: 60 }),
        fc.nat(60),
        (steps, cut) => {
          const ledger = fresh()
          let saved = { table: ledger.meter.save(start), state: JSON.stringify(ledger.state()) }
          let entries: string[] = []
          let remembered: readonly RememberedText[] = []
          let at = start
          steps.forEach(([command, pauseMs], index) => {
            at += pauseMs
            if (index === cut) {
              saved = { table: ledger.meter.save(at), state: JSON.stringify(ledger.state()) }
              remembered = [...remembered, ...ledger.memory.takeFresh()]
              entries = []
            }
            entries.push(...runAndWrite(ledger, { ...command, at }))
          })
          const again = fresh(saved)
          again.memory.restore(remembered)
          for (const entry of entries) runAndWrite(again, commandOf(entry))
          const state = (of: Ledger) => {
            // Leases end when somebody asks.
            left(of, 'email.send', at)
            return [of.state(), standings(of, at)]
          }
          expect(state(again)).toEqual(state(ledger))
        },
      ),
      { numRuns: 200 },
    )
  })
})

function runAndWrite(ledger: Ledger, command: Command): readonly string[] {
  try {
    const outcome = ledger.run(command)
    return outcome.changed ? [entryOf(command)] : []
  } catch {
    return []
  }
}

function standings(ledger: Ledger, at: number): unknown {
  return ['1', '2'].flatMap((user) =>
    ['7', '8'].flatMap((guild) =>
      limits.flatMap((limit) =>
        (ledger.meter.charges(limit, { user, guild }, null) ?? []).map((charge) =>
          ledger.meter.standing(charge, at),
        ),
      ),
    ),
  )
}
