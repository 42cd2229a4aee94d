import { describe, expect, test } from 'vitest'
import type { LimitView } from '../data/answers.ts'
import { fittingRange } from '../data/measures.ts'
import { replicaViewOf } from '../../../test/support/environment/views.ts'
import {
  answerOverview,
  bitingLimits,
  illFirst,
  runningSince,
  sayLimit,
  sayRoute,
  stateOfReplica,
} from './answers.ts'
import { sayAgo, sayCount, sayCpu, sayRate, sayShare } from './format.ts'

type Scene = Parameters<typeof answerOverview>[0]
type Status = Scene['status']
type Service = Status['services'][number]

const service = (name: string, state: Service['state']): Service => ({
  name,
  state,
  says: '',
  wanted: 1,
  healthy: state === 'healthy' ? 1 : 0,
  command: ['node'],
  phase: 'steady' as const,
  release: '',
  rollout: '',
  replicas: [],
})
const status = (...services: readonly Service[]): Status => ({
  name: 'arcade',
  version: '0.1.0',
  says: '',
  state: 'healthy',
  startedAt: 0,
  services: [...services],
  processes: [],
  notes: [],
})
const limit = (name: string, refused: number, dryRun = false): LimitView => ({
  name,
  rule: '5/min per ip',
  route: null,
  dryRun,
  admitted: { lastMinute: 9, lastHour: 9 },
  refused: { lastMinute: refused, lastHour: refused },
  wouldRefuse: { lastMinute: 0, lastHour: 0 },
})
const scene = (change: Partial<Scene>): Scene => ({
  status: status(service('web', 'healthy')),
  traffic: undefined,
  limits: undefined,
  deploys: undefined,
  drift: undefined,
  now: 100_000_000,
  ...change,
})
const say = (pieces: readonly { text: string }[]): string => pieces.map(({ text }) => text).join('')

describe('the overview in one sentence', () => {
  const well = status(service('web', 'healthy'), service('mailer', 'healthy'))

  test.each([
    [well, [], 'Both services healthy; no limit is biting.'],
    [well, [limit('edge.route.POST /login', 3)], 'Both services healthy; one limit is biting: POST /login.'],
    [
      well,
      [limit('a', 3), limit('b', 1), limit('c', 5, true)],
      'Both services healthy; 2 limits are biting.',
    ],
    [status(service('web', 'healthy')), [], 'web is healthy; no limit is biting.'],
    [status(service('web', 'down'), service('mailer', 'healthy')), [], 'web is down; no limit is biting.'],
    [
      status(service('a', 'down'), service('b', 'starting')),
      [],
      '2 of 2 services are not healthy; no limit is biting.',
    ],
    [status(), [], 'No service is described yet; no limit is biting.'],
  ])('case %#', (given, limits, expected) => {
    expect(say(answerOverview(scene({ status: given, limits })))).toBe(expected)
  })
})

describe('the overview says what goes on, failed or has drifted', () => {
  const deploy = (outcome: 'under way' | 'deployed' | 'rolled back', at = 99_000_000) => ({
    job: 'j',
    service: 'web',
    release: '1.5.0',
    before: '1.4.2',
    at,
    by: 'ada',
    note: '',
    source: '',
    outcome,
    says: '',
  })
  const during = (phase: Service['phase']): Status => status({ ...service('web', 'healthy'), phase })
  const differs = (...objects: readonly string[]) => ({
    says: '',
    items: objects.map((object) => ({ object, says: '', since: null })),
  })

  test.each([
    [{ deploys: [deploy('deployed')], drift: differs() }, 'web is healthy.'],
    [{ deploys: [deploy('under way')] }, 'web is healthy; 1.5.0 of web is on its way.'],
    [
      { deploys: [deploy('under way')], status: during('judging') },
      'web is healthy; 1.5.0 of web is being judged.',
    ],
    [
      { deploys: [deploy('under way')], status: during('moving') },
      'web is healthy; 1.5.0 of web is taking over.',
    ],
    [{ deploys: [deploy('rolled back')] }, 'web is healthy; the last deploy, 1.5.0 of web, was given up.'],
    [{ deploys: [deploy('rolled back', 1)] }, 'web is healthy.'],
    [{ drift: differs('service web') }, 'web is healthy; 1 thing differs from what was applied.'],
    [{ drift: differs('route /', 'volume a') }, 'web is healthy; 2 things differ from what was applied.'],
    [
      {
        drift: {
          says: '',
          items: [
            { object: 'route /', says: 'the file has changed and was not applied: x', since: null },
            { object: 'volume a', says: 'left over', since: null },
          ],
        },
      },
      'web is healthy; 1 thing differs from what was applied; 1 change of the file is not applied.',
    ],
    // Of what is ill it was said already.
    [{ drift: differs('service web'), status: status(service('web', 'down')) }, 'web is down.'],
  ] as const)('case %#', (change, expected) => {
    expect(say(answerOverview(scene(change as Partial<Scene>)))).toBe(expected)
  })
})

test('the ill come first, and the hardest biting', () => {
  const names = illFirst([
    service('b', 'healthy'),
    service('a', 'healthy'),
    service('z', 'down'),
    service('y', 'degraded'),
  ])
  expect(names.map(({ name }) => name)).toEqual(['z', 'y', 'a', 'b'])
  expect(bitingLimits([limit('a', 1), limit('b', 7), limit('c', 0)]).map(({ name }) => name)).toEqual([
    'b',
    'a',
  ])
  expect(sayLimit('edge.unmatched')).toBe('whatever no route matches')
  expect(['GET /x', '(unmatched)'].map(sayRoute)).toEqual(['GET /x', 'whatever no route matches'])
})

test('a replica that runs is good only when it is known to be healthy', () => {
  expect(stateOfReplica({ state: 'running', healthy: true })).toBe('good')
  expect(stateOfReplica({ state: 'running', healthy: null })).toBe('busy')
  expect(stateOfReplica({ state: 'running', healthy: false })).toBe('warn')
  expect(stateOfReplica({ state: 'crash-looped', healthy: null })).toBe('bad')
})

test('numbers are short, and times never lie in the future', () => {
  expect([0, 0.01, 0.44, 9.96, 412.4, 1240, 123_400, 1_240_000].map(sayRate)).toEqual([
    '0',
    '< 0.1',
    '0.4',
    '10.0',
    '412',
    '1,240',
    '123 k',
    '1.2 M',
  ])
  expect(sayCount(99_999)).toBe('99,999')
  expect([0, 0.0004, 0.031, 0.5].map(sayShare)).toEqual(['0 %', '< 0.1 %', '3.1 %', '50 %'])
  expect([null, 0.131, 1.42].map(sayCpu)).toEqual(['–', '13 %', '1.4 cores'])
  expect([sayAgo(5000, 1000), sayAgo(0, 4200), sayAgo(0, 600_000)]).toEqual(['now', '4 s ago', '10 min ago'])
})

describe('how far back charts look at first', () => {
  const since = (...starts: (number | null)[]): number | null =>
    runningSince([
      { ...service('web', 'healthy'), replicas: starts.map((startedAt) => replicaViewOf({ startedAt })) },
    ])

  test('the oldest replica counts, and those that never started do not', () => {
    expect(since(30, 20, null)).toBe(20)
    expect(since(null)).toBeNull()
    expect(since()).toBeNull()
  })

  test('an hour of what has run for minutes would be empty', () => {
    expect(fittingRange(1000, 61_000)).toBe('5m')
    expect(fittingRange(0, 3_600_000)).toBe('1h')
    expect(fittingRange(null, 61_000)).toBe('1h')
  })
})
