import { afterEach, describe, expect, test } from 'vitest'
import { contextOf } from '../../../test/support/context.ts'
import { emptyStores, noOtherSections } from '../../../test/support/environment/empty.ts'
import { replicaStatusOf } from '../../../test/support/environment/replicas.ts'
import type { ReplicaStatus, SupervisorEvent } from '../../contracts/supervisor.ts'
import type { Call, Context, JobCall } from '../../kernel/capability/index.ts'
import { openSeries } from '../../kernel/series/index.ts'
import { seededRandom, virtualClock, type VirtualClock } from '../../kernel/std/index.ts'
import { memoryTimeline, type Timeline } from '../../kernel/timeline/index.ts'
import { servicesConfig } from './config.ts'
import { environment, type EnvironmentCapability } from './index.ts'
import type { Engine, EnvironmentPorts, ProbeResult } from './ports.ts'

const services = servicesConfig.parse({
  web: { command: ['run'], replicas: 2, health: '/healthz', startTimeout: '5s' },
  outside: { address: 'http://127.0.0.1:9' },
})

function fakeReplica(id: string): ReplicaStatus {
  const common = { id, service: id.split('/')[0] ?? '', pid: 100, cpu: 0.25, memoryBytes: 1024 }
  return replicaStatusOf({ ...common, port: 3000 + Number(id.split('/')[1]), logFile: `/log/${id}` })
}

/** An engine that does at once what it is told. */
function fakeEngine(clock: VirtualClock) {
  const state = {
    replicas: [] as ReplicaStatus[],
    events: [] as SupervisorEvent[],
    restarted: [] as string[],
    dead: false,
  }
  const status = () => ({
    pid: 1,
    version: '1',
    startedAt: 5,
    processes: [],
    replicas: state.replicas,
    notes: [],
  })
  const alive = (): void => {
    if (state.dead) throw new Error('the engine is dead')
  }
  const engine: Engine = {
    status: async () => {
      alive()
      return status()
    },
    runs: 'programs',
    choosesReplica: true,
    run: async (groups) => {
      state.replicas = groups.flatMap(({ service, hash, replicas }) =>
        Array.from({ length: replicas }, (_, index) => ({
          ...(state.replicas.find(({ id }) => id === `${service}/${index + 1}`) ??
            fakeReplica(`${service}/${index + 1}`)),
          specHash: hash,
        })),
      )
      return status()
    },
    restart: async (id) => {
      state.restarted.push(id)
      state.replicas = state.replicas.map((replica) =>
        replica.id === id ? { ...replica, startedAt: clock.now() } : replica,
      )
    },
    events: async (after, signal) => {
      const found = state.events.filter(({ number }) => number > after.supervisor)
      if (found.length === 0) await clock.sleep(1000, signal)
      return found
    },
  }
  return { engine, state }
}

function crash(number: number): SupervisorEvent {
  return {
    number,
    at: 1,
    what: 'replica-crashed',
    subject: 'web/1',
    pid: 1,
    port: 3001,
    code: 1,
    signal: null,
    restartInMs: 500,
    detail: null,
    lastLines: ['boom'],
  }
}

async function fakeContext(clock: VirtualClock, timeline: Timeline): Promise<Context> {
  return contextOf({ timeline, series: await openSeries({ path: null, clock }), clock })
}

const running: EnvironmentCapability[] = []
afterEach(async () => {
  for (const capability of running.splice(0)) await capability.stop()
})

interface Stage {
  readonly clock: VirtualClock
  readonly timeline: Timeline
  readonly capability: EnvironmentCapability
  readonly world: ReturnType<typeof fakeEngine>['state']
  readonly ill: Set<string>
  readonly kinds: () => Promise<readonly string[]>
}

async function stage(): Promise<Stage> {
  const clock = virtualClock()
  const timeline = memoryTimeline({ clock, random: seededRandom(2) })
  const { engine, state } = fakeEngine(clock)
  const ill = new Set<string>()
  const ports: EnvironmentPorts = {
    engine,
    prober: {
      probe: (origin): Promise<ProbeResult> =>
        Promise.resolve(
          ill.has(origin) ? { healthy: false, detail: 'refused' } : { healthy: true, detail: '' },
        ),
    },
    logs: {
      tail: (file, lines) =>
        Promise.resolve({ lines: [`${file} old`, `${file} new`].slice(-lines), end: 42 }),
      follow: async function* (file, from) {
        yield `${file} live from ${from}`
      },
    },
    ...emptyStores(),
    canRun: (program) => Promise.resolve(program === 'run'),
    hostVariables: {},
    givenVariables: () => ({}),
  }
  const context = await fakeContext(clock, timeline)
  const capability = environment.create(
    { name: 'test', version: '1', directory: '/', services, ...noOtherSections },
    context,
    ports,
  )
  running.push(capability)
  const kinds = async (): Promise<readonly string[]> =>
    (await timeline.read({ limit: 1000 })).map(({ kind }) => kind)
  return { clock, timeline, capability, world: state, ill, kinds }
}

function binding(capability: EnvironmentCapability, name: string) {
  const found = capability.operations.find(({ declaration }) => declaration.name === name)
  if (found === undefined) throw new Error(`nothing is bound to ${name}`)
  return found.act as (input: unknown, call: unknown) => unknown
}

const call: Call = {
  caller: { actor: 'root', permission: 'administer' },
  signal: new AbortController().signal,
  correlation: 'c',
}

describe('the environment', () => {
  test('runs what the file says, sees that it is well, and says so once', async () => {
    const { clock, capability, kinds } = await stage()
    await capability.start()
    await clock.advance(10_000)
    const usual = { group: expect.stringMatching(/^[0-9a-f]{16}$/) as string, weight: 100 }
    expect(capability.endpoints()).toEqual([
      {
        name: 'web',
        targets: [
          { id: 'web/1', origin: 'http://127.0.0.1:3001', ...usual },
          { id: 'web/2', origin: 'http://127.0.0.1:3002', ...usual },
        ],
        healthPath: '/healthz',
      },
      {
        name: 'outside',
        targets: [{ id: 'outside', origin: 'http://127.0.0.1:9', group: '', weight: 100 }],
        healthPath: null,
      },
    ])
    expect(await kinds()).toEqual(['environment.service-healthy', 'environment.service-healthy'])
    const status = (await binding(capability, 'environment.status')({}, call)) as {
      state: string
      says: string
    }
    expect(status).toMatchObject({ state: 'healthy', says: 'Both services are healthy' })
  })

  test('says when a service gets ill and well again, and does not for a stumble', async () => {
    const { clock, capability, ill, kinds } = await stage()
    await capability.start()
    await clock.advance(5000)
    ill.add('http://127.0.0.1:3001')
    await clock.advance(2500)
    ill.clear()
    await clock.advance(8000)
    expect(await kinds()).toHaveLength(2)
    ill.add('http://127.0.0.1:3001')
    await clock.advance(12_000)
    ill.clear()
    await clock.advance(8000)
    expect((await kinds()).slice(2)).toEqual(['environment.service-unhealthy', 'environment.service-healthy'])
  })

  test('every event of the engine becomes one fact, also over a restart of control', async () => {
    const first = await stage()
    first.world.events.push(crash(1), crash(2))
    await first.capability.start()
    await first.clock.advance(3000)
    await first.capability.stop()
    running.splice(0)

    first.world.events.push(crash(3))
    const context = await fakeContext(first.clock, first.timeline)
    const { engine, state } = fakeEngine(first.clock)
    state.events = first.world.events
    const ports = {
      engine,
      prober: { probe: () => Promise.resolve({ healthy: true, detail: '' }) },
      logs: { tail: () => Promise.resolve({ lines: [], end: 0 }), follow: async function* () {} },
      ...emptyStores(),
      canRun: () => Promise.resolve(true),
      hostVariables: {},
      givenVariables: () => ({}),
    }
    const again = environment.create(
      { name: 'test', version: '1', directory: '/', services, ...noOtherSections },
      context,
      ports,
    )
    running.push(again)
    await again.start()
    await first.clock.advance(3000)
    const crashes = await first.timeline.read({ kinds: ['environment.replica-crashed'] })
    expect(crashes.map(({ data }) => data?.['event'])).toEqual([1, 2, 3])
  })

  test('an engine that does not answer is a note, not an end', async () => {
    const { clock, capability, world } = await stage()
    await capability.start()
    await clock.advance(3000)
    world.dead = true
    await clock.advance(3000)
    const status = (await binding(capability, 'environment.status')({}, call)) as {
      notes: string[]
      state: string
    }
    expect(status.state).toBe('healthy')
    expect(status.notes.join()).toContain('the engine is dead')
  })

  test('logs: the past of each replica, then what comes, until there is no more', async () => {
    const { clock, capability } = await stage()
    await capability.start()
    await clock.advance(2000)
    const lines: unknown[] = []
    const logs = binding(capability, 'environment.logs')({ service: 'web', lines: 1, follow: true }, call)
    for await (const line of logs as AsyncIterable<unknown>) lines.push(line)
    expect(lines).toEqual([
      { replica: 'web/1', line: '/log/web/1 new' },
      { replica: 'web/2', line: '/log/web/2 new' },
      { replica: 'web/1', line: '/log/web/1 live from 42' },
      { replica: 'web/2', line: '/log/web/2 live from 42' },
    ])
  })

  test('a service that is not there is refused with what was meant', async () => {
    const { capability } = await stage()
    const logs = binding(capability, 'environment.logs')({ service: 'wbe', lines: 1, follow: false }, call)
    const read = async (): Promise<void> => {
      for await (const line of logs as AsyncIterable<unknown>) void line
    }
    await expect(read()).rejects.toMatchObject({
      code: 'environment.unknown-service',
      hint: 'did you mean "web"?',
    })
  })

  test('check names a program that is not there', async () => {
    const clock = virtualClock()
    const context = await fakeContext(clock, memoryTimeline({ clock, random: seededRandom(3) }))
    const { engine } = fakeEngine(clock)
    const ports = {
      engine,
      prober: { probe: () => Promise.resolve({ healthy: true, detail: '' }) },
      logs: { tail: () => Promise.resolve({ lines: [], end: 0 }), follow: async function* () {} },
      ...emptyStores(),
      canRun: () => Promise.resolve(false),
      hostVariables: {},
      givenVariables: () => ({}),
    }
    const capability = environment.create(
      { name: 'test', version: '1', directory: '/', services, ...noOtherSections },
      context,
      ports,
    )
    expect(await capability.check()).toMatchObject([{ path: 'services.web.command', severity: 'critical' }])
  })
})

describe('restart', () => {
  function jobCall(done: Set<string>): JobCall {
    return {
      ...call,
      jobId: 'j',
      progress: () => undefined,
      step: async (name, act) => {
        if (done.has(name)) return {} as never
        const result = await act()
        done.add(name)
        return result
      },
    }
  }

  const restart = (capability: Parameters<typeof binding>[0], service: string): Promise<unknown> =>
    Promise.resolve(binding(capability, 'environment.restart')({ service }, jobCall(new Set())))

  test('one replica after the other; a job that was interrupted goes on where it was', async () => {
    const { clock, capability, world } = await stage()
    await capability.start()
    await clock.advance(2000)
    const job = binding(capability, 'environment.restart')(
      { service: 'web' },
      jobCall(new Set(['restart web/1'])),
    )
    await clock.advance(3000)
    expect(await job).toEqual({ restarted: ['web/1', 'web/2'] })
    expect(world.restarted).toEqual(['web/2'])
  })

  test('the edge is told to leave a replica alone before it is stopped, and gets it back', async () => {
    const { clock, capability, world } = await stage()
    await capability.start()
    await clock.advance(2000)
    const told: string[] = []
    const ids = () =>
      capability
        .endpoints()
        .find(({ name }) => name === 'web')
        ?.targets.map(({ id }) => id)
    let takesIn = (): void => capability.sentTo(new Set(ids()))
    capability.onEndpoints(() => {
      told.push(`${ids()?.join() ?? ''} after ${world.restarted.length}`)
      takesIn()
    })
    const job = binding(capability, 'environment.restart')({ service: 'web' }, jobCall(new Set()))
    await clock.advance(1000)
    expect(told.at(-1)).toBe('web/2 after 0')
    await clock.advance(6000)
    expect(await job).toEqual({ restarted: ['web/1', 'web/2'] })
    expect(told).toEqual([
      'web/1,web/2 after 0',
      'web/2 after 0',
      'web/1,web/2 after 1',
      'web/1 after 1',
      'web/1,web/2 after 2',
    ])
    takesIn = () => undefined
    void restart(capability, 'web')
    await clock.advance(5000)
    expect([told.at(-1), world.restarted.length]).toEqual(['web/2 after 2', 2])
    capability.sentTo(new Set(['web/2']))
    await clock.advance(2000)
    expect(world.restarted).toHaveLength(3)
  })

  test('a replica that does not get well again ends it and spares the others', async () => {
    const { clock, capability, world, ill } = await stage()
    await capability.start()
    await clock.advance(2000)
    ill.add('http://127.0.0.1:3001')
    const ended = restart(capability, 'web').catch((error: unknown) => error)
    await clock.advance(20_000)
    expect(await ended).toMatchObject({ code: 'environment.service-unhealthy' })
    expect(world.restarted).toEqual(['web/1'])
  })

  test('a service that somebody else runs is not ours to restart', async () => {
    const { capability } = await stage()
    await expect(restart(capability, 'outside')).rejects.toMatchObject({ code: 'environment.not-ours' })
  })
})
