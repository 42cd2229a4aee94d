import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { replicaStatusOf } from '../../../test/support/environment/replicas.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../contracts/supervisor.ts'
import { assessServices, overallState, sayEnvironment, targetsOf } from './watch/assess.ts'
import { jobsConfig, servicesConfig } from './config.ts'
import { runSpecification } from './runs/specification.ts'
import { wishedServices } from './wish/index.ts'
import { factOfEvent } from './watch/events.ts'
import { decideTransition } from './watch/transitions.ts'
import { environmentFold } from './view.ts'

const ground = {
  directory: '/srv/game',
  hostVariables: { PATH: '/bin', TOKEN: 'secret', HOME: '/home' },
  givenVariables: (service: string) => ({ HOLDFAST_URL: 'http://127.0.0.1:8400', HOLDFAST_TOKEN: service }),
  containers: false,
  releaseDirectory: (service: string, release: string) => `/releases/${service}/${release}`,
  releaseImage: () => null,
  volumes: {},
  databases: {},
  databaseDirectory: (database: string) => `/databases/${database}`,
  databaseUrl: ({ database }: { readonly database: string }) => `postgres://${database}`,
  volumeDirectory: (volume: string) => `/volumes/${volume}`,
}
const asTheyLie = () => ({ wished: '', pending: null })

function supervisor(replicas: readonly ReplicaStatus[]): SupervisorStatus {
  return { pid: 1, version: '1', startedAt: 1, processes: [], replicas: [...replicas], notes: [] }
}

const well = { healthy: true, detail: '' }
const rolloutOf = () => ({ phase: 'steady', says: '' }) as const
const releaseOf = () => '1.0'

describe('wished services', () => {
  test('one specification a service, with ordinary variables and those that are named', () => {
    const services = servicesConfig.parse({
      web: { command: ['./run', '-x'], directory: 'web', replicas: 2, passEnv: ['TOKEN'], env: { A: '1' } },
      elsewhere: { address: 'http://127.0.0.1:9' },
    })
    const [web, ...others] = wishedServices(services, asTheyLie, ground)
    expect(others).toEqual([])
    expect(web).toMatchObject({ name: 'web', replicas: 2, pending: false })
    expect(web?.specification).toMatchObject({
      command: ['/srv/game/web/run', '-x'],
      directory: '/srv/game/web',
      variables: { HOME: '/home', TOKEN: 'secret', A: '1' },
      port: { assigned: true },
    })
  })

  test('files are handed over with what is in them: that of a variable is a secret, and jobs get them too', () => {
    const files = { APP_CONFIG: './app.json', APP_KEY: { variable: 'TOKEN' } }
    const services = servicesConfig.parse({ web: { command: ['run'], files } })
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    const wished = (text: string) => {
      const whole = { ...ground, contents: { './app.json': base64(text) } }
      const [web] = wishedServices(services, asTheyLie, whole)
      const jobs = jobsConfig.parse({ migrate: { service: 'web', command: ['run'] } })
      const run = { services, replicas: whole, releaseOf: () => '' }
      const job = jobs['migrate'] as (typeof jobs)[string]
      return { web, job: runSpecification(job, { job: 'migrate', key: 'k' }, run) }
    }
    const { web, job } = wished('one')
    expect(web?.specification.files).toEqual({
      APP_CONFIG: { content: base64('one'), secret: false },
      APP_KEY: { content: base64('secret'), secret: true },
    })
    expect(job.files).toEqual(web?.specification.files)
    expect(wished('two').web?.hash).not.toBe(web?.hash)
  })

  test('programs of a project come before those of the machine, nearest first, in a release as well', () => {
    const services = servicesConfig.parse({ web: { command: ['run'], directory: 'web' } })
    const pathOf = (wished: string, hostVariables: Record<string, string> = ground.hostVariables) => {
      const [web] = wishedServices(services, () => ({ wished, pending: null }), { ...ground, hostVariables })
      return web?.specification.variables['PATH']?.split(':')
    }
    const own = ['/srv/game/web', '/srv/game', '/srv', ''].map((place) => `${place}/node_modules/.bin`)
    expect(pathOf('')).toEqual([...own, '/bin'])
    const released = ['/releases/web/7', '/releases/web', '/releases', ''].map(
      (place) => `${place}/node_modules/.bin`,
    )
    expect(pathOf('7')).toEqual([...released, ...own.slice(0, -1), '/bin'])
    expect(pathOf('', {})?.slice(-3)).toEqual(['/usr/local/bin', '/usr/bin', '/bin'])
  })

  test('each is told where control is and its token, unless the file says otherwise', () => {
    const services = servicesConfig.parse({
      web: { command: ['run'] },
      apart: { command: ['run'], env: { HOLDFAST_URL: 'https://elsewhere.example' } },
    })
    const told = wishedServices(services, asTheyLie, ground).map(({ specification }) => [
      specification.variables['HOLDFAST_URL'],
      specification.variables['HOLDFAST_TOKEN'],
    ])
    expect(told).toEqual([
      ['http://127.0.0.1:8400', 'web'],
      ['https://elsewhere.example', 'apart'],
    ])
  })

  test('a variable that is not named is not handed on', () => {
    const services = servicesConfig.parse({ web: { command: ['run'] } })
    const [web] = wishedServices(services, asTheyLie, ground)
    expect(web?.specification.variables).not.toHaveProperty('TOKEN')
  })

  test.each([
    [{ web: {} }, 'needs either'],
    [{ web: { command: ['a'], address: 'http://127.0.0.1:1' } }, 'needs either'],
    [{ web: { command: ['a'], port: 80, replicas: 2 } }, 'fixed port'],
    [{ web: { command: ['a'], replicas: { min: 3, max: 2 } } }, 'must not be above'],
    [{}, 'at least one'],
  ])('%j is refused', (services, message) => {
    expect(() => servicesConfig.parse(services)).toThrow(message)
  })
})

describe('assessment', () => {
  const services = servicesConfig.parse({
    web: { command: ['run'], replicas: 2 },
    job: { command: ['j'], listens: false },
  })

  test('a service is healthy when as many replicas as wanted are', () => {
    const status = supervisor([
      replicaStatusOf({ id: 'web/1' }),
      replicaStatusOf({ id: 'web/2', port: 3002 }),
      replicaStatusOf({ id: 'job/1', service: 'job', port: null }),
    ])
    const views = assessServices(services, {
      status,
      probes: new Map([
        ['web/1', well],
        ['web/2', well],
      ]),
      rolloutOf,
      releaseOf,
    })
    expect(views.map(({ state }) => state)).toEqual(['healthy', 'healthy'])
    expect(sayEnvironment(views)).toBe('Both services are healthy')
  })

  test('one ill replica degrades and says why', () => {
    const status = supervisor([
      replicaStatusOf({ id: 'web/1' }),
      replicaStatusOf({ id: 'web/2', state: 'crash-looped' }),
    ])
    const views = assessServices(services, {
      status,
      probes: new Map([['web/1', well]]),
      rolloutOf,
      releaseOf,
    })
    expect(views[0]?.state).toBe('degraded')
    expect(views[0]?.says).toContain('web/2: it keeps crashing')
    expect(overallState(views)).toBe('down')
  })

  test('an address is a target without a replica', () => {
    const [name, service] =
      Object.entries(servicesConfig.parse({ api: { address: 'http://127.0.0.1:9/' } }))[0] ?? []
    if (name === undefined || service === undefined) throw new Error('nothing parsed')
    expect(targetsOf(name, service, null)).toEqual([
      { id: 'api', origin: 'http://127.0.0.1:9', group: '', since: null },
    ])
  })
})

describe('events', () => {
  const event = {
    number: 5,
    at: 1,
    subject: 'web/1',
    pid: 9,
    port: 3001,
    code: 1,
    signal: null,
    restartInMs: 500,
    detail: null,
    lastLines: ['boom'],
  }

  test.each([
    'supervisor-started',
    'supervisor-stopping',
    'process-started',
    'process-crashed',
    'replica-started',
    'replica-adopted',
    'replica-exited',
    'replica-crashed',
    'replica-crash-looped',
    'replica-exposed',
    'replica-unstartable',
  ] as const)('%s becomes a fact that fits its schema', (what) => {
    const { declaration, data } = factOfEvent(
      { ...event, what },
      { name: 'game', version: '1', services: ['web'] },
    )
    expect(declaration.data.parse(data)).toEqual(data)
    expect(data['event']).toBe(5)
  })

  test('the fold remembers the last event, for a supervisor that lost its events counts from 1 again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (numbers) => {
        const fact = (number: number) => ({
          sequence: 1,
          id: '',
          at: 0,
          kind: 'environment.replica-started',
          severity: 'info' as const,
          subject: null,
          actor: '',
          correlation: null,
          data: { event: number },
          hash: '',
        })
        const state = numbers
          .map(fact)
          .reduce((before, each) => environmentFold.step(before, each), environmentFold.initial)
        expect(state.lastEvent).toBe(numbers.at(-1) ?? 0)
      }),
    )
  })
})

describe('transitions', () => {
  const services = servicesConfig.parse({ web: { command: ['run'] } })
  const view = (state: ReplicaStatus['state'], probe = well) => {
    const [found] = assessServices(services, {
      status: supervisor([replicaStatusOf({ state })]),
      probes: new Map([['web/1', probe]]),
      rolloutOf,
      releaseOf,
    })
    if (found === undefined) throw new Error('no view')
    return found
  }
  const patience = { startTimeoutMs: 30_000, steadyForMs: 0 }

  test('health is said once', () => {
    expect(decideTransition(view('running'), 'nothing', patience)?.now).toBe('healthy')
    expect(decideTransition(view('running'), 'healthy', patience)).toBeNull()
  })

  test('a recovery is said when it has lasted', () => {
    expect(decideTransition(view('running'), 'unhealthy', { ...patience, steadyForMs: 4000 })).toBeNull()
    expect(decideTransition(view('running'), 'unhealthy', { ...patience, steadyForMs: 5000 })?.now).toBe(
      'healthy',
    )
  })

  test('a starting service has its time, a stumble is not worth a fact, a crash loop is said at once', () => {
    const ill = view('running', { healthy: false, detail: 'refused' })
    expect(decideTransition(ill, 'nothing', { ...patience, steadyForMs: 29_000 })).toBeNull()
    expect(decideTransition(ill, 'nothing', { ...patience, steadyForMs: 30_000 })?.now).toBe('unhealthy')
    expect(decideTransition(ill, 'healthy', { ...patience, steadyForMs: 1000 })).toBeNull()
    expect(decideTransition(ill, 'healthy', { ...patience, steadyForMs: 3000 })?.now).toBe('unhealthy')
    expect(decideTransition(view('crash-looped'), 'nothing', patience)?.now).toBe('unhealthy')
  })
})
