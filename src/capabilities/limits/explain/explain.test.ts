import { describe, expect, test } from 'vitest'
import { edgeFacts } from '../../../contracts/edge.ts'
import { limitsFacts, type RefusedEntry } from '../../../contracts/limits.ts'
import type { FactDeclaration } from '../../../kernel/std/index.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import { explain, type Evidence } from './explain.ts'
import { sumOffenders } from './offenders.ts'
import { saidMinutes } from './spells.ts'
import { soughtOf } from './subjects.ts'

const noon = Date.UTC(2026, 2, 1, 12)
const minuteMs = 60_000
const chat = { limit: 'app.chat.message', rule: '5/10s per user' }

function fact<Data>(declaration: FactDeclaration<Data>, data: Data, at = noon): Fact {
  const { kind, severity } = declaration
  return {
    sequence: 1,
    id: 'id',
    at,
    kind,
    severity,
    subject: null,
    actor: 'person:ada',
    correlation: null,
    hash: '',
    data: data as Fact['data'],
  }
}

function refused(
  minute: number,
  entries: readonly Partial<RefusedEntry>[],
  door: 'app' | 'edge' = 'app',
): Fact {
  const from = noon + minute * minuteMs
  const whole = entries.map((entry) => ({
    ...chat,
    subject: 'user:42',
    refused: 1,
    admitted: 0,
    wouldRefuse: 0,
    routes: [],
    ...entry,
  }))
  return fact(limitsFacts.refused, { from, until: from + minuteMs, door, entries: whole }, from + minuteMs)
}

const evidence = (parts: Partial<Evidence>): Evidence => ({
  refusals: [],
  missed: [],
  holdings: [],
  from: noon - 60 * minuteMs,
  until: noon + 60 * minuteMs,
  reachesBackTo: noon - 86_400_000,
  limits: [{ name: chat.limit, rule: chat.rule }],
  nowMs: noon + 60 * minuteMs,
  zone: 'UTC',
  ...parts,
})

const ask = (subject: string, parts: Partial<Evidence>, limit?: string) =>
  explain({ subject, at: noon + 3 * minuteMs, limit }, evidence(parts))

describe('why somebody was refused', () => {
  test('in one sentence: how often, by what, when, and what used it up', () => {
    const routes = [
      { route: 'POST /chat', admitted: 20, refused: 10 },
      { route: 'POST /emote', admitted: 10, refused: 10 },
    ]
    const answer = ask('user:42', {
      refusals: [
        refused(2, [{ refused: 20, admitted: 30, routes }]),
        refused(3, [
          { refused: 17, admitted: 10 },
          { subject: 'user:7', refused: 99 },
        ]),
      ],
    })
    expect(answer.says).toBe(
      'user:42 was refused 37 times by chat.message (5/10s per user) between 12:02 and 12:04; 60 % of its use was POST /chat.',
    )
    expect(answer.spells).toMatchObject([
      {
        door: 'app',
        refused: 37,
        admitted: 40,
        ended: true,
        allows: ['5/10s per user'],
        minutes: [
          { at: noon + 2 * minuteMs, refused: 20 },
          { at: noon + 3 * minuteMs, refused: 17 },
        ],
      },
    ])
  })

  test('where takes cost more than one it says units, too; and how exactly edges share the limit', () => {
    const limits = [{ name: chat.limit, rule: chat.rule, shared: 'At most 5 too many.' }]
    const units = { refused: 100, admitted: 50, wouldRefuse: 0 }
    const refusals = [refused(2, [{ refused: 2, admitted: 1, units }]), refused(3, [{ refused: 3 }])]
    const answer = ask('user:42', { refusals, limits })
    expect(answer.says).toBe(
      'user:42 was refused 5 times (103 units) by chat.message (5/10s per user) between 12:02 and 12:04; admitted meanwhile once (50 units). At most 5 too many.',
    )
    expect(answer.spells).toMatchObject([{ units: { refused: 103 }, shared: 'At most 5 too many.' }])
  })

  test('times that are apart are told apart, the nearest first; a day that is not today is named', () => {
    const answer = ask('user:42', {
      refusals: [refused(-20, [{}]), refused(0, [{ refused: 2 }]), refused(30, [{}])],
      nowMs: noon + 86_400_000,
    })
    expect(answer.spells.map(({ from }) => (from - noon) / minuteMs)).toEqual([0, -20, 30])
    expect(answer.says).toBe(
      'user:42 was refused 2 times by chat.message (5/10s per user) between 2026-03-01 12:00 and 2026-03-01 12:01. There are 2 more such times around it (chat.message).',
    )
  })

  test('a limit that has changed since says what it is today; one that refuses still may go on', () => {
    const limits = [{ name: chat.limit, rule: '9/10s per user' }]
    const answer = ask('user:42', { refusals: [refused(3, [{}])], limits, nowMs: noon + 4 * minuteMs })
    expect(answer.says).toBe(
      'user:42 was refused once by chat.message (5/10s per user) between 12:03 and 12:04, and it may go on; today the limit is 9/10s per user.',
    )
  })

  test('times of which nothing is known are told', () => {
    const missed = [
      fact(edgeFacts.reportsMissed, { seconds: 50 }, noon + 3 * minuteMs),
      fact(edgeFacts.reportsMissed, { seconds: 50 }, noon + 600 * minuteMs),
    ]
    const answer = ask('user:42', { refusals: [refused(5, [{}])], missed })
    expect(answer.says).toMatch(/12:06\. Of the edge nothing is known between 12:02:10 and 12:03:00\.$/)
    expect(answer.gaps).toHaveLength(1)
  })

  test('several dimensions, and only the limit that is asked for', () => {
    const refusals = [
      refused(3, [
        { subject: 'user:42 and guild:7' },
        { limit: 'app.email.send', subject: 'user:42', refused: 9 },
      ]),
    ]
    const answer = ask('user:42', { refusals }, 'chat')
    expect(answer.says).toMatch(/^user:42 \(as user:42 and guild:7\) was refused once by chat.message/)
    expect(answer.spells).toHaveLength(1)
  })

  test('an address is looked for with its network, and finds the ban of a range', () => {
    const ban = { subject: 'ip:203.0.113.0/24', until: noon + 2 * 3_600_000, because: 'scraping.' }
    const answer = ask('ip:203.0.113.7', {
      refusals: [
        refused(
          3,
          [{ limit: 'edge.route./*', rule: '9/s per prefix', subject: 'prefix:203.0.113.0/24' }],
          'edge',
        ),
      ],
      holdings: [fact(limitsFacts.banned, ban)],
    })
    expect(answer.subjects).toEqual(['ip:203.0.113.7', 'prefix:203.0.113.0/24'])
    expect(answer.says).toMatch(
      /^ip:203.0.113.7 \(as prefix:203.0.113.0\/24\) was refused once .* ip:203.0.113.0\/24 is banned until 14:00: scraping.$/,
    )
    expect(answer.bans).toMatchObject([{ holds: true, actor: 'person:ada' }])
  })

  test('a ban that was lifted and an override that holds are told', () => {
    const until = noon + 5 * 3_600_000
    const answer = ask('user:42', {
      holdings: [
        fact(limitsFacts.banned, { subject: 'user:42', until, because: 'spam' }, noon - 1000),
        fact(limitsFacts.unbanned, { subject: 'user:42', because: 'sorry' }, noon + 10 * minuteMs),
        fact(limitsFacts.overrideSet, {
          ...chat,
          subject: 'user:42',
          rule: '50/10s per user',
          until,
          because: 'tournament',
        }),
      ],
    })
    expect(answer.says).toContain('It was banned until 12:10: spam.')
    expect(answer.says).toContain('For it chat.message is 50/10s per user until 17:00: tournament.')
    expect(answer.bans).toMatchObject([{ holds: false, liftedAt: noon + 10 * minuteMs }])
  })

  test('of whom nothing is known it says what it looked through, and how far back the timeline reaches', () => {
    const { says, spells } = ask('user:9', { refusals: [refused(3, [{}])], reachesBackTo: noon })
    expect(spells).toEqual([])
    expect(says).toBe(
      'Nothing says that a limit refused user:9 between 11:00 and 13:00. One other subject was refused then; of each minute the 50 that were refused most are known; the timeline reaches back to 12:00, which is later. A refusal is known here a minute or two after it.',
    )
  })
})

test.each([
  ['ip:2001:db8:1:2::9', ['ip:2001:db8:1:2::/64', 'prefix:2001:db8:1::/48']],
  ['ip:2001:db8:1:2::/64', ['ip:2001:db8:1:2::/64', 'prefix:2001:db8:1::/48']],
  ['user:42', ['user:42']],
  ['ip:nobody', ['ip:nobody']],
])('%s is looked for as %j', (subject, subjects) => {
  expect(soughtOf(subject).subjects).toEqual(subjects)
})

test('offenders are summed up by subject, limit and time, without gaps', () => {
  const minutes = saidMinutes([
    refused(1, [{ refused: 3 }, { subject: 'user:7', refused: 5 }]),
    refused(3, [{ refused: 4, limit: 'app.email.send' }]),
  ])
  const view = sumOffenders(minutes, { from: noon, until: noon + 5 * minuteMs })
  expect(view.says).toBe('2 limits refused 2 subjects in the last 5 min; user:42 most, 7 times.')
  expect(view.subjects.map(({ subject, refused }) => [subject, refused])).toEqual([
    ['user:42', 7],
    ['user:7', 5],
  ])
  expect(view.limits).toMatchObject([{ limit: chat.limit, refused: 8, subjects: 2 }, { refused: 4 }])
  expect(view.steps.map(({ refused }) => refused)).toEqual([0, 8, 0, 4, 0])
  expect(sumOffenders([], { from: noon, until: noon + minuteMs }).says).toBe(
    'No limit refused anybody in the last 1 min.',
  )
})
