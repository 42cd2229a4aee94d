import { describe, expect, test } from 'vitest'
import type { EnvironmentStatus } from '../../contracts/environment.ts'
import { replicaViewOf, serviceViewOf } from '../../../test/support/environment/views.ts'
import { decideEnd, stillIll, touchedBy, type ApplyScene } from './decide-end.ts'

type ServiceView = EnvironmentStatus['services'][number]

const address = 'http://127.0.0.1:3000'
const replica = (change: Partial<ServiceView['replicas'][number]> = {}) =>
  replicaViewOf({ address, startedAt: 1000, ...change })
const service = (change: Partial<ServiceView> = {}): ServiceView =>
  serviceViewOf({ says: 'how web is', replicas: [replica()], ...change })

const decide = (services: readonly ServiceView[], change: Partial<ApplyScene> = {}) =>
  decideEnd({
    services,
    touched: ['web'],
    illSince: new Map(),
    startTimeouts: { web: 5000 },
    nowMs: 100_000,
    now: 10_000,
    ...change,
  })

describe('the end of an apply', () => {
  test('has come when all is steady and what was touched is well', () => {
    expect(decide([service(), service({ name: 'other' })])).toBe('done')
    expect(decide([service({ phase: 'moving', rollout: 'web moves' }), service({ name: 'other' })])).toEqual({
      share: 0.5,
      says: 'web moves',
    })
  })

  test('does not wait for what was ill before and is left alone', () => {
    expect(decide([service(), service({ name: 'other', state: 'down' })])).toBe('done')
  })

  test('has not come while a worker may still turn out to end at once', () => {
    const worker = (startedAt: number) => service({ replicas: [replica({ address: null, startedAt })] })
    expect(decide([worker(7501)])).toMatchObject({ share: 0 })
    expect(decide([worker(7500)])).toBe('done')
  })

  test('is bad when something is refused, keeps crashing, or takes too long', () => {
    expect(decide([service({ phase: 'refused', rollout: 'no good' })])).toEqual({ failed: 'no good' })
    const looping = service({
      state: 'down',
      phase: 'starting',
      replicas: [replica({ state: 'crash-looped' })],
    })
    expect(decide([looping])).toEqual({ failed: 'how web is' })
    const late = service({ state: 'down', phase: 'starting' })
    expect(decide([late], { illSince: new Map([['web', 95_000]]) })).toMatchObject({ share: 0 })
    expect(decide([late], { illSince: new Map([['web', 94_999]]) })).toEqual({ failed: 'how web is' })
  })

  test('time counts from the first look at replicas that are not well', () => {
    const waiting = service({ state: 'starting', replicas: [] })
    expect(stillIll([waiting], new Map(), 5)).toEqual(new Map())
    const first = stillIll([service({ state: 'down' })], new Map(), 5)
    expect(stillIll([service({ state: 'degraded' })], first, 9)).toEqual(new Map([['web', 5]]))
    expect(stillIll([service()], first, 9)).toEqual(new Map())
  })

  test('touched is what is started, replaced or scaled, databases too', () => {
    const step = (object: string, verb: string) => ({ object, verb })
    const steps = [
      step('service web', 'create'),
      step('service left', 'change'),
      step('service gone', 'remove'),
      step('database main', 'replace'),
      step('route /*', 'create'),
    ]
    expect(touchedBy({ steps } as never)).toEqual(['web', 'main'])
  })
})
