import { describe, expect, test } from 'vitest'
import type { EnvironmentPlan, EnvironmentStatus } from '../../contracts/index.ts'
import { replicaViewOf } from '../../../test/support/environment/views.ts'
import {
  answerRuns,
  lockOf,
  planOfApply,
  planOfDeploy,
  releaseOfGroup,
  sayAmounts,
  sayGroup,
  sayIn,
  sayReleases,
  sayTotals,
  splitDrift,
} from './changes.ts'

type Service = EnvironmentStatus['services'][number]
type Replica = Service['replicas'][number]

const replica = (id: string, release: string | null, group: string): Replica =>
  replicaViewOf({ id, release, group })

describe('releases', () => {
  test.each([
    [['1.4.2', '1.4.2'], '1.4.2'],
    [['1.4.2', '1.5.0'], '1.4.2 and 1.5.0'],
    [['', '1.0'], 'no release and 1.0'],
    [['', ''], ''],
    [[null], ''],
  ])('%j is said %j', (releases, said) => {
    expect(sayReleases({ replicas: releases.map((release) => replica('web/1', release, 'a')) })).toBe(said)
  })

  test('a replica is told from others only while there are two groups, by its hash if by nothing else', () => {
    const [one, two] = [replica('web/1', '1.4.2', 'aaaaaaaaaa'), replica('web/2', '1.5.0', 'bbbbbbbbbb')]
    const alike = replica('web/3', '1.4.2', 'cccccccccc')
    expect(sayGroup(one, [one, one])).toBe('')
    expect(sayGroup(two, [one, two])).toBe('1.5.0')
    expect(sayGroup(alike, [one, alike])).toBe('1.4.2, group cccccccc')
  })

  test('a group has the release of its replicas', () => {
    const web = { name: 'web', replicas: [replica('web/1', '1.4.2', 'a')] } as unknown as Service
    expect(releaseOfGroup([web], { service: 'web', group: 'a' })).toBe('1.4.2')
    expect(releaseOfGroup([web], { service: 'web', group: 'b' })).toBe('')
    expect(releaseOfGroup([web], { service: 'api', group: 'a' })).toBe('')
  })

  test('a deploy says where the files come from and what runs now', () => {
    const [said] = planOfDeploy({ service: 'web', version: '1.0', from: '', running: '' })
    expect(said).toBe(
      'The files in its directory, as they are, are stored as release 1.0 of web, which runs no release now.',
    )
  })

  test('a lock on one service leaves the others', () => {
    const lock = { service: 'web', because: 'x', by: 'ada', since: 1 }
    expect(lockOf([lock], 'web')).toBe(lock)
    expect(lockOf([lock], 'mailer')).toBeUndefined()
    expect(lockOf([{ ...lock, service: '*' }], 'mailer')).toBeDefined()
  })
})

const step: EnvironmentPlan['steps'][number] = {
  object: 'service web',
  verb: 'replace',
  says: 'its replicas are replaced',
  differences: [
    { path: 'replicas', before: '1', after: '2' },
    { path: 'health', before: null, after: '/healthz' },
    { path: 'port', before: '3000', after: null },
  ],
  replicas: { before: 1, after: 2 },
  memoryMiB: { before: null, after: 512 },
  destroys: false,
}
const plan: EnvironmentPlan = {
  hash: '0123456789abcdef',
  says: '',
  steps: [step],
  replicas: { before: 1, after: 2, difference: 1, unbounded: 1 },
  memoryMiB: { before: 0, after: 512, difference: 512, machine: 7954, left: 7442 },
  destroys: [],
  notes: [],
}

describe('plans', () => {
  test('what the plan shows anyway is only counted among what has drifted', () => {
    const item = (object: string, says: string) => ({ object, says, since: null })
    const items = [
      item('service web', 'web is down'),
      item('route /', 'the file has changed and was not applied: route / is changed'),
      item('environment file', 'it cannot be read'),
    ]
    expect(splitDrift(items)).toEqual({ items: [items[0], items[2]], unapplied: 1 })
  })

  test('amounts are said where they change', () => {
    expect(sayAmounts(step)).toBe('1 → 2 replicas, 0 → 512 MiB')
    expect(
      sayAmounts({ ...step, replicas: { before: 2, after: 2 }, memoryMiB: { before: 5, after: 5 } }),
    ).toBe('')
    expect(sayTotals(plan)).toBe(
      "1 → 2 replicas; those with a bound may use 0 → 512 MiB of the machine's 7,954",
    )
  })

  test('applying says the first steps, how many more there are, and what is lost', () => {
    const said = planOfApply({
      ...plan,
      steps: Array.from({ length: 10 }, () => step),
      destroys: ['volume a'],
    })
    expect(said).toHaveLength(11)
    expect(said[8]).toBe('and 2 more changes')
    expect(said.at(-1)).toBe('The data of volume a is lost for good.')
  })
})

test('the schedule that comes first is said, whatever their order', () => {
  const schedule = (name: string, next: number | null) => ({
    schedule: name,
    job: 'j',
    at: '',
    zone: '',
    next,
  })
  const history = { says: 'No job has run yet', jobs: [], runs: [] }
  const schedules = [schedule('never', null), schedule('weekly', 9_000_000), schedule('hourly', 3_600_000)]
  expect(answerRuns({ ...history, schedules }, 0)).toBe('No job has run yet. hourly is next, in 60 min.')
  expect(answerRuns({ ...history, schedules: [] }, 0)).toBe('No job has run yet.')
  expect(sayIn(5, 6)).toBe('now')
})
