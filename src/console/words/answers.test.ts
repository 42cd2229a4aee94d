import { describe, expect, test } from 'vitest'
import type { LimitView } from '../data/answers.ts'
import { fittingRange } from '../data/measures.ts'
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

type Status = Parameters<typeof answerOverview>[0]
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
    expect(say(answerOverview(given, undefined, limits))).toBe(expected)
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
  const replica = (startedAt: number | null): Service['replicas'][number] => ({
    id: 'web/1',
    state: 'running',
    release: '',
    group: 'ab',
    healthy: true,
    detail: '',
    pid: 1,
    address: null,
    startedAt,
    restarts: 0,
    cpu: null,
    memoryBytes: null,
  })
  const since = (...starts: (number | null)[]): number | null =>
    runningSince([{ ...service('web', 'healthy'), replicas: starts.map(replica) }])

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
