import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { replicaViewOf, serviceViewOf } from '../../../test/support/environment/views.ts'
import { decideReadiness } from './readiness.ts'

type Service = EnvironmentStatus['services'][number]
type Replica = Service['replicas'][number]

function status(services: Service[]): EnvironmentStatus {
  return {
    name: 'a',
    version: '1',
    says: '',
    state: 'starting',
    startedAt: 1,
    services,
    processes: [],
    notes: [],
  }
}

const timeouts = { web: 30_000, job: 5000 }
const starting = (change: Partial<Replica> = {}): Service =>
  serviceViewOf({
    state: 'starting',
    replicas: [replicaViewOf({ healthy: null, detail: 'not looked at yet', ...change })],
  })

describe('whether a starting environment is ready', () => {
  test('when all services are healthy, however long it took', () => {
    expect(decideReadiness(status([serviceViewOf(), serviceViewOf({ name: 'job' })]), timeouts, 1e9)).toEqual(
      {
        now: 'ready',
      },
    )
  })

  test('not before anything is known', () => {
    expect(decideReadiness(status([]), timeouts, 1e9)).toEqual({ now: 'wait', says: 'starting control' })
  })

  test('waits for those that are not, and says how many', () => {
    const readiness = decideReadiness(status([serviceViewOf({ name: 'job' }), starting()]), timeouts, 6000)
    expect(readiness).toEqual({ now: 'wait', says: 'waiting for web 0/1' })
  })

  test('each service has its own time', () => {
    const services = status([starting(), { ...starting({ id: 'job/1' }), name: 'job' }])
    expect(decideReadiness(services, timeouts, 5000).now).toBe('wait')
    expect(decideReadiness(services, timeouts, 5001)).toEqual({
      now: 'give-up',
      service: 'job',
      because: 'not healthy after 5 s; job/1: not looked at yet',
    })
  })

  test.each(['crash-looped', 'exposed'] as const)('gives up at once when a replica is %s', (state) => {
    const lost = starting({ state, healthy: false, detail: 'it is down' })
    expect(decideReadiness(status([serviceViewOf({ name: 'job' }), lost]), timeouts, 0)).toEqual({
      now: 'give-up',
      service: 'web',
      because: 'web/1: it is down',
    })
  })

  test('a single crash is not the end', () => {
    const crashed = starting({ state: 'waiting', healthy: false, detail: 'it crashed' })
    expect(decideReadiness(status([crashed]), timeouts, 100).now).toBe('wait')
  })

  test('without replicas the service speaks for itself', () => {
    const down = serviceViewOf({ state: 'down', says: 'web has 0 of 0', replicas: [] })
    expect(decideReadiness(status([down]), timeouts, 31_000)).toMatchObject({
      because: 'not healthy after 31 s; web has 0 of 0',
    })
  })

  test('waiting longer never turns giving up into waiting, and ready stays ready', () => {
    const states = ['healthy', 'starting', 'degraded', 'down'] as const
    const replicaStates = ['running', 'starting', 'waiting', 'crash-looped', 'exposed'] as const
    const anyService = fc
      .record({ name: fc.constantFrom('web', 'job', 'other'), state: fc.constantFrom(...states) })
      .chain(({ name, state }) =>
        fc
          .array(
            fc.record({
              state: fc.constantFrom(...replicaStates),
              healthy: fc.constantFrom(true, false, null),
            }),
          )
          .map((replicas) =>
            serviceViewOf({ name, state, replicas: replicas.map((each) => replicaViewOf(each)) }),
          ),
      )
    const rank = { ready: 1, wait: 2, 'give-up': 3 }
    fc.assert(
      fc.property(fc.array(anyService), fc.nat(60_000), fc.nat(60_000), (services, waitedMs, moreMs) => {
        const now = decideReadiness(status(services), timeouts, waitedMs)
        const later = decideReadiness(status(services), timeouts, waitedMs + moreMs)
        expect(rank[later.now]).toBeGreaterThanOrEqual(rank[now.now])
        expect(now.now === 'ready').toBe(later.now === 'ready')
      }),
    )
  })
})
