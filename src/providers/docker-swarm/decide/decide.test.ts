import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentFold, noCluster } from '../../../capabilities/environment/view.ts'
import { factOfEvent } from '../../../capabilities/environment/watch/events.ts'
import type { ClusterMark, Group } from '../../../capabilities/environment/ports.ts'
import { tasksShape, type SwarmGroup, type SwarmNode, type Task } from '../../../contracts/docker/swarm.ts'
import type { SupervisorEvent } from '../../../contracts/supervisor.ts'
import type { Fact } from '../../../kernel/timeline/index.ts'
import { scriptInImage } from '../../../../test/support/docker/engine.ts'
import { eventsSince } from './events.ts'
import { planServices } from './plan-services.ts'
import { replicasOf } from './replicas.ts'
import { serviceNameOf, serviceSpecOf } from './service-spec.ts'

const here: SwarmNode = { id: 'n1', name: 'one', isDown: false, address: '10.1.0.2' }
const there: SwarmNode = { id: 'n2', name: 'two', isDown: false, address: '10.1.0.3' }

function task(id: string, change: Partial<Task> = {}): Task {
  return {
    id,
    index: 10,
    createdAt: 1e3,
    swarmService: 's1',
    slot: 1,
    node: 'n1',
    desired: 'running',
    state: 'running',
    at: 2e3,
    error: '',
    container: `c${id}`,
    pid: 7,
    exitCode: null,
    port: 32768,
    stopTimeoutMs: 1e3,
    restarts: true,
    environment: 'arcade',
    service: 'web',
    group: 'abcdef0123456789',
    release: '1',
    owner: '',
    ...change,
  }
}

const failed = (id: string, change: Partial<Task> = {}): Task =>
  task(id, {
    desired: 'shutdown',
    state: 'failed',
    exitCode: 3,
    error: 'task: non-zero exit (3)',
    pid: 0,
    port: null,
    ...change,
  })

describe('replicas', () => {
  const one = (tasks: readonly Task[], nodes = [here, there]) => replicasOf({ tasks, nodes })[0]

  test('are slots of groups, reached at their nodes', () => {
    const found = replicasOf({
      tasks: [task('a'), task('b', { slot: 2, node: 'n2', port: 32_769 })],
      nodes: [here, there],
    })
    expect(found.map(({ id, host, port, state }) => ({ id, host, port, state }))).toEqual([
      { id: 'web/abcdef01.1', host: '10.1.0.2', port: 32_768, state: 'running' },
      { id: 'web/abcdef01.2', host: '10.1.0.3', port: 32_769, state: 'running' },
    ])
  })

  test.each([
    ['starting', [task('a', { state: 'preparing', port: null })], 'it is preparing'],
    [
      'starting',

      [task('a', { state: 'pending', error: 'no suitable node', port: null })],
      'no suitable node',
    ],
    [
      'waiting',

      [task('b', { state: 'ready', desired: 'ready', createdAt: 2000, port: null }), failed('a')],
      'it waits for its next start: exit code 3',
    ],
    ['crash-looped', [failed('a')], 'it is left down: exit code 3'],
    [
      'crash-looped',

      [failed('a', { state: 'rejected', exitCode: null, error: 'No such image: x', restarts: false })],
      'it is left down: No such image: x',
    ],
    ['ended', [failed('a', { state: 'complete', exitCode: 0, error: '', restarts: false })], 'exit code 0'],
    ['ended', [failed('a', { restarts: false })], 'exit code 3'],
    ['stopping', [task('a', { desired: 'shutdown' })], null],
    ['stopped', [task('a', { node: 'n3' })], 'its node three is down'],
  ] as const)('can be %s', (state, tasks, detail) => {
    const down = { id: 'n3', name: 'three', isDown: true, address: '10.1.0.4' }
    expect(one([...tasks], [here, down])).toMatchObject({ state, detail, leaving: false })
  })

  test('of a node that is lost have no address any more', () => {
    const found = one([task('a', { node: 'n2' })], [here, { ...there, isDown: true }])
    expect(found).toMatchObject({ state: 'stopped', port: null })
  })

  test('that are removed are leaving; the newest life counts', () => {
    expect(one([task('a', { desired: 'remove' })])).toMatchObject({ state: 'stopping', leaving: true })
    const lives = [failed('a'), task('c', { createdAt: 3000 }), failed('b', { createdAt: 2000 })]
    expect(one(lives)).toMatchObject({
      state: 'running',
      restarts: 2,
      logFile: 'swarm-task:c',
      lastExit: { code: 3 },
    })
  })
})

/** What control does with events: it makes facts of them, and asks again from where those end. */
function record(mark: ClusterMark, events: readonly SupervisorEvent[]): ClusterMark {
  return events.reduce(
    (view, event) => {
      const { declaration, data } = factOfEvent(event, { name: 'arcade', version: '1', services: ['web'] })
      return environmentFold.step(view, { kind: declaration.kind, data } as unknown as Fact)
    },
    { ...environmentFold.initial, cluster: mark },
  ).cluster
}

describe('events', () => {
  const scene = (tasks: readonly Task[], mark: ClusterMark = noCluster, nodes = [here, there]) => ({
    tasks,
    mark,
    nodes,
    cluster: 'k',
    now: 1e5,
    ours: new Set<string>(),
  })
  const said = (tasks: readonly Task[], mark?: ClusterMark) =>
    eventsSince(scene(tasks, mark)).map(({ what, subject }) => `${what} ${subject.slice(-1)}`)

  test('that happened together are all said, when control dies between two of them as well', () => {
    const tasks = [task('a'), task('b', { slot: 2 })]
    const [first, second] = eventsSince(scene(tasks))
    const mark = record(noCluster, first === undefined ? [] : [first])
    expect(eventsSince(scene(tasks, mark))).toEqual([second])
    expect(eventsSince(scene(tasks, record(mark, second === undefined ? [] : [second])))).toEqual([])
  })

  test('so are ends that happened together, of tasks of which nobody heard before', () => {
    const next = [1, 2].map((slot) => task(`n${slot}`, { slot, state: 'ready', createdAt: 3000, index: 30 }))
    const tasks = [failed('a', { index: 20 }), failed('b', { index: 20, slot: 2 }), ...next]
    const [first, ...rest] = eventsSince(scene(tasks))
    expect(rest).toMatchObject([{ what: 'replica-crashed', task: 'k/b' }])
    expect(eventsSince(scene(tasks, record(noCluster, first === undefined ? [] : [first])))).toEqual(rest)
  })

  test('an end is said once, though the index of its task moves once more', () => {
    const before = record(noCluster, eventsSince(scene([task('a')])))
    const crashed = failed('a', { index: 20, desired: 'running' })
    const next = task('b', { index: 22, state: 'ready', createdAt: 3000 })
    const events = eventsSince(scene([crashed, next], before))
    expect(events).toMatchObject([{ what: 'replica-crashed', code: 3, detail: 'exit code 3', task: 'k/a' }])
    const after = record(before, events)
    expect(said([{ ...crashed, index: 30, desired: 'shutdown' }, next], after)).toEqual([])
  })

  test('an end without a successor waits until it is known that none comes, and what came later waits with it', () => {
    const later = task('c', { slot: 2, index: 40 })
    const fresh = { ...scene([failed('a', { index: 20, at: 99_000 }), later]) }
    expect(eventsSince(fresh)).toEqual([])
    expect(eventsSince({ ...fresh, now: 105_000 }).map(({ what }) => what)).toEqual([
      'replica-crash-looped',
      'replica-started',
    ])
  })

  test('what we ended ourselves, what was told to stop, and what is gone did not crash', () => {
    const mark = record(
      noCluster,
      eventsSince(scene([task('a'), task('b', { slot: 2 }), task('c', { slot: 3 })])),
    )
    const tasks = [
      failed('a', { index: 20 }),
      task('b', { slot: 2, index: 20, desired: 'shutdown', state: 'shutdown' }),
    ]
    const events = eventsSince({ ...scene(tasks, mark), ours: new Set(['a']) })
    expect(events.map(({ what }) => what)).toEqual(['replica-exited', 'replica-exited', 'replica-exited'])
    expect(eventsSince(scene(tasks, record(mark, events)))).toEqual([])
  })

  test('of a node that is lost are said when its tasks are given up, once', () => {
    const mark = record(noCluster, eventsSince(scene([task('a', { node: 'n2' })])))
    const down = [here, { ...there, isDown: true }]
    const lost = task('a', { node: 'n2', index: 20, desired: 'shutdown' })
    const events = eventsSince(scene([lost], mark, down))
    expect(events).toMatchObject([{ what: 'replica-crashed', detail: 'its node two is down' }])
    const after = record(mark, events)
    expect(eventsSince(scene([{ ...lost, state: 'orphaned', index: 50 }], after, down))).toEqual([])
  })

  test('of another cluster begin anew', () => {
    const mark = record(noCluster, eventsSince(scene([task('a', { index: 900 })])))
    expect(eventsSince({ ...scene([task('z', { index: 3 })], mark), cluster: 'other' })).toMatchObject([
      { task: 'other/z' },
    ])
  })

  test('whenever control looks and whenever it dies: no start twice, no end twice, no end missed that Swarm remembers', () => {
    const lives = fc.array(
      fc.record({ looks: fc.boolean(), dies: fc.nat(3), code: fc.integer({ min: 1, max: 9 }) }),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(lives, (all) => {
        let mark = noCluster
        let index = 1
        const tasks: Task[] = []
        const heard: string[] = []
        const look = (most: number): void => {
          const events = eventsSince({ ...scene(tasks, mark), now: 10 ** 9 }).slice(0, most)
          heard.push(
            ...events.map(
              ({ what, task: name }) => `${what === 'replica-started' ? 'start' : 'end'} ${name}`,
            ),
          )
          mark = record(mark, events)
        }
        for (const [life, { looks, dies, code }] of all.entries()) {
          const id = `t${life}`
          tasks.push(task(id, { index: ++index, createdAt: life }))
          if (looks) look(dies)
          tasks[life] = failed(id, { index: ++index, createdAt: life, exitCode: code })
          if (looks) look(dies)
          tasks[life] = failed(id, { index: ++index, createdAt: life, exitCode: code })
        }
        for (let rest = 0; rest < 20; rest++) look(1)
        expect(new Set(heard).size).toBe(heard.length)
        expect(heard.filter((text) => text.startsWith('end'))).toHaveLength(all.length)
      }),
    )
  })
})

describe('the plan', () => {
  const group = (hash: string, replicas: number, isKnown = true): Group => ({
    service: 'web',
    hash,
    specification: isKnown ? scriptInImage('') : null,
    replicas,
    leaving: [],
  })
  const running = (hash: string, replicas: number): SwarmGroup => ({
    id: `id-${hash}`,
    index: 1,
    name: `arcade_web_${hash}`,
    environment: 'arcade',
    service: 'web',
    group: hash,
    release: '',
    replicas,
    owner: '',
    image: '',
    files: [],
  })

  test('makes exactly the groups that are asked for', () => {
    const plan = planServices([group('b', 2), group('a', 1, false)], [running('a', 3), running('c', 1)])
    expect(plan.create.map(({ group: made }) => made.hash)).toEqual(['b'])
    expect(plan.scale).toEqual([{ id: 'id-a', replicas: 1 }])
    expect(plan.remove).toEqual(['id-c'])
  })

  test('lets a group without a specification only get smaller, and one of none go', () => {
    expect(planServices([group('a', 9, false)], [running('a', 3)])).toEqual({
      create: [],
      scale: [],
      remove: [],
    })
    expect(planServices([group('a', 2, false)], [])).toEqual({ create: [], scale: [], remove: [] })
    expect(planServices([group('a', 0)], [running('a', 3)]).remove).toEqual(['id-a'])
  })
})

describe('a service of Swarm', () => {
  const group: Group = {
    service: 'web',
    hash: 'abcdef0123456789',
    specification: null,
    replicas: 2,
    leaving: [],
  }
  const ground = { environment: 'arcade', owner: 'h1', image: 'web:1', files: [], node: null }

  test('is called after its environment, its service and its group, and the group survives long names', () => {
    expect(serviceNameOf('arcade', group)).toBe('arcade_web_abcdef01')
    const long = serviceNameOf('e'.repeat(39), { ...group, service: 's'.repeat(39) })
    expect(long).toHaveLength(63)
    expect(long).toMatch(/_abcdef01$/)
  })

  test('has what the specification says, and a port on its node', () => {
    const more = { variables: { A: 'b' }, memoryMiB: 64, cpus: 0.5, mounts: { uploads: '/volumes/uploads' } }
    const spec = serviceSpecOf(group, scriptInImage('x', more), ground)
    expect(spec).toMatchObject({
      Name: 'arcade_web_abcdef01',
      Labels: {
        'holdfast.environment': 'arcade',
        'holdfast.service': 'web',
        'holdfast.group': 'abcdef0123456789',
        'holdfast.release': 'one',
      },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Mode: 'dnsrr', Ports: [{ Protocol: 'tcp', TargetPort: 3000, PublishMode: 'host' }] },
      TaskTemplate: {
        Resources: { Limits: { MemoryBytes: 67_108_864, NanoCPUs: 500_000_000 } },
        RestartPolicy: { Condition: 'any' },
        Placement: {},
        ContainerSpec: {
          Image: 'web:1',
          Env: ['A=b', 'HOST=0.0.0.0', 'PORT=3000'],
          Mounts: [{ Type: 'volume', Source: 'arcade_uploads', Target: '/volumes/uploads' }],
          StopGracePeriod: 1_000_000_000,
        },
      },
    })
    expect(spec.Labels).toEqual({ ...spec.TaskTemplate.ContainerSpec.Labels, 'holdfast.owner': 'h1' })
  })

  test('that insists on a port has it in its container, one that does not listen has none, one that runs once stays ended', () => {
    const fixed = serviceSpecOf(group, scriptInImage('', { port: { fixed: 8080 } }), {
      ...ground,
      node: 'n1',
    })
    expect(fixed.EndpointSpec.Ports[0]?.TargetPort).toBe(8080)
    expect(fixed.TaskTemplate.Placement).toEqual({ Constraints: ['node.id==n1'] })
    const worker = serviceSpecOf(
      group,
      scriptInImage('', { port: null, restarts: false, command: [] }),
      ground,
    )
    expect(worker.EndpointSpec.Ports).toEqual([])
    expect(worker.TaskTemplate.RestartPolicy).toEqual({ Condition: 'none' })
    expect(worker.TaskTemplate.ContainerSpec).toMatchObject({ Env: [] })
    expect(worker.TaskTemplate.ContainerSpec).not.toHaveProperty('Command')
  })
})

test('a task is read as Docker writes it, what it leaves out included', () => {
  const wire = {
    ID: 't1',
    Version: { Index: 18 },
    CreatedAt: '2026-11-26T02:27:50.746718436Z',
    ServiceID: 's1',
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: 'x' } },
    Status: { Timestamp: '2026-11-26T02:27:51.285359979Z', State: 'pending', PortStatus: {} },
  }
  expect(tasksShape.parse([wire])).toEqual([
    task('t1', {
      index: 18,
      createdAt: Date.parse(wire.CreatedAt),
      at: Date.parse(wire.Status.Timestamp),
      slot: 0,
      node: '',
      state: 'pending',
      container: '',
      pid: 0,
      port: null,
      stopTimeoutMs: 0,
      environment: '',
      service: '',
      group: '',
      release: '',
    }),
  ])
})
