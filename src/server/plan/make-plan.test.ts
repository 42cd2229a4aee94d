import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentData } from '../../../test/support/environment/environment-data.ts'
import type { EnvironmentPlan, EnvironmentStatus } from '../../contracts/environment.ts'
import { contentHash, type Json } from '../../kernel/std/index.ts'
import type { LoadedEnvironment } from '../composition/index.ts'
import { parseEnvironment } from '../composition/load.ts'
import { makePlan, type PlanScene } from './make-plan.ts'

const base = {
  name: 'arcade',
  services: {
    web: { command: ['node', 'web.ts'], needs: ['mailer'], resources: { memoryMiB: 100 } },
    mailer: { command: ['node', 'mailer.ts'], listens: false },
  },
  edge: { routes: { '/*': { to: 'web', limit: '120/min per ip' } } },
  people: { ada: { role: 'view' } },
}

function loaded(data: object): LoadedEnvironment {
  const hash = contentHash(data as unknown as Json)
  const place = { file: '/srv/holdfast.config.ts', directory: '/srv' }
  return { ...place, hash, overrides: {}, data, environment: parseEnvironment(data) }
}

function statusOf(change: Partial<EnvironmentStatus['services'][number]> = {}): EnvironmentStatus {
  const web = { name: 'web', state: 'healthy', says: 'web is healthy', phase: 'steady', rollout: '' } as const
  const service = {
    ...web,
    release: '',
    wanted: 1,
    healthy: 1,
    command: ['node', 'web.ts'],
    replicas: [],
    ...change,
  }
  const whole = { name: 'arcade', version: '1', says: '', state: 'healthy', startedAt: 1 } as const
  return { ...whole, services: [service], processes: [], notes: [] }
}

test('says where what uses a volume runs on a swarm, and what becomes of one that goes or moves', () => {
  const swarm = (volumes: object, replicas = 1) => ({
    ...base,
    engine: { swarm: 'unix:///x' },
    volumes,
    services: { web: { image: 'x', replicas, ...('game' in volumes ? { volumes: ['game'] } : {}) } },
  })
  const says = (before: object, after: object, kept = {}): readonly string[] =>
    planFor(before, after, { kept }).steps.map((step) => `${step.says}${step.destroys ? ' (destroys)' : ''}`)
  const placed = swarm({ game: { node: 'box-2' } })
  expect(says(swarm({ game: {} }, 1), swarm({ game: {} }, 2))).toEqual([
    'from 1 to 2 replicas; it runs on the node of the manager, for its volume game',
  ])
  expect(says(swarm({}), placed)[1]).toMatch(/; it runs on node box-2, for its volume game$/)
  expect(says(swarm({ game: {} }), placed)).toEqual([
    'volume game is looked for on node box-2; what uses it is replaced there, and files on the node of the manager stay behind',
  ])
  expect(says(placed, swarm({}))).toContain('volume game goes (destroys)')
  expect(says(placed, swarm({}), { game: 'they lie elsewhere' })).toContain(
    'volume game goes from the file; its files stay: they lie elsewhere',
  )
})

test('says that files of volumes stay behind when services move to another engine', () => {
  const web = { command: ['run'], build: {}, port: 3000, volumes: ['game'] }
  const local = { ...base, volumes: { game: {} }, services: { web } }
  const moved = planFor(local, { ...local, engine: { swarm: 'unix:///x' } })
  expect(moved.notes).toEqual([expect.stringMatching(/^volume game begins empty on the other engine/)])
  expect(moved.steps.map(({ says }) => says).join()).not.toContain('in place')
  expect(planFor(local, { ...local, volumes: { game: {}, more: {} } }).notes).toEqual([])
})

test('a file that a service is handed is another one when something else is in it, which is not shown', () => {
  const files = { APP_CONFIG: './app.json', APP_KEY: { variable: 'APP_KEY' } }
  const data = { ...base, services: { ...base.services, web: { ...base.services.web, files } } }
  const holding = (text: string): LoadedEnvironment => ({
    ...loaded(data),
    hash: text,
    contents: { './app.json': Buffer.from(text).toString('base64') },
  })
  const scene = { status: statusOf(), images: {}, machineMiB: 4000 }
  const plan = makePlan({ ...scene, accepted: holding('one'), fresh: holding('two') })
  expect(plan.steps.map(({ verb, object }) => `${verb} ${object}`)).toEqual(['replace service web'])
  expect(plan.steps[0]?.differences.map(({ path }) => path)).toEqual(['files.APP_CONFIG.content'])
  expect(JSON.stringify(plan)).not.toMatch(/one|two|b25l|dHdv/)
  expect(makePlan({ ...scene, accepted: holding('one'), fresh: holding('one') }).steps).toEqual([])
})

function planFor(before: object, after: object, more: Partial<PlanScene> = {}): EnvironmentPlan {
  const scene = { accepted: loaded(before), fresh: loaded(after), status: statusOf(), images: {} }
  return makePlan({ ...scene, machineMiB: 4000, ...more })
}

const steps = (after: object): string[] =>
  planFor(base, { ...base, ...after }).steps.map(({ verb, object }) => `${verb} ${object}`)

const { web, mailer } = base.services

describe('a plan', () => {
  test.each([
    [{ name: 'stage' }, ['change environment']],
    [{ services: { mailer, web: { ...web, needs: [] } } }, ['change service web']],
    [{ services: { ...base.services, api: { command: ['a'] } } }, ['create service api']],
    [{ services: { ...base.services, constructor: { command: ['a'] } } }, ['create service constructor']],
    [{ services: { ...base.services, web: { command: ['b'] } } }, ['replace service web']],
    [{ services: { ...base.services, web: { ...web, replicas: 3 } } }, ['scale service web']],
    [{ services: { ...base.services, web: { ...web, startTimeout: '1s' } } }, ['change service web']],
    [{ edge: { routes: { '/*': { to: 'web', limit: '1/s' } } } }, ['change route /*']],
    [{ databases: { main: { engine: 'postgres' } } }, ['create database main']],
    [{ edge: { ...base.edge, trustProxies: ['10.0.0.0/8'] } }, ['change edge']],
    [{ people: {} }, ['remove person ada']],
    [{ timeline: { keepFor: '1d' } }, ['change timeline']],
    [{ limits: { 'mail.send': '20/hour per user' } }, ['create limit mail.send']],
  ])('%j: %j', (after, expected) => {
    expect(steps(after)).toEqual(expected)
  })

  test.each([
    [{ settings: { work_mem: '1MB' } }, 'replace', false],
    [{ resources: { memoryMiB: 64 } }, 'replace', false],
    [{ names: ['a'] }, 'change', false],
    [{ startTimeout: '5s' }, 'change', false],
    [{ engine: 'redis' }, 'replace', false],
    [{ version: '15' }, 'change', false],
    [{ url: 'postgres://db.example' }, 'change', false],
    [null, 'remove', true],
  ])('of a database changed by %j: %s', (change, verb, destroys) => {
    const main = { engine: 'postgres' }
    const needing = {
      ...base,
      services: { ...base.services, web: { ...web, env: { A: { database: 'main' } } } },
    }
    const before = { ...(change === null ? base : needing), databases: { main } }
    const after = { ...before, databases: change === null ? {} : { main: { ...main, ...change } } }
    const step = planFor(before, after).steps.find(({ object }) => object === 'database main')
    expect(step).toMatchObject({ verb, destroys, replicas: { before: 1 } })
  })

  test('says that what is in a server and no longer named stays there', () => {
    const [before, after] = [['shop', 'logs'], ['shop']].map((names) => ({
      ...base,
      databases: { main: { engine: 'postgres', names } },
    }))
    const [step] = planFor(before ?? {}, after ?? {}).steps
    expect(step).toMatchObject({ verb: 'change', destroys: false })
    expect(step?.says).toContain('logs stays in it with its data')
    const redis = { ...base, databases: { main: { engine: 'redis' } } }
    expect(planFor(before ?? {}, redis).steps[0]?.says).toContain('made anew, of redis')
  })

  test('lets go of the address of a database without a word, and hides what is in one', () => {
    const main = { engine: 'postgres', url: 'postgres://a:hush@db.example' }
    const gone = planFor({ ...base, databases: { main } }, base)
    expect(gone.destroys).toEqual([])
    expect(JSON.stringify(gone)).not.toContain('hush')
    const secret = { services: { ...base.services, api: { command: ['a'], env: { TOKEN: 'hush' } } } }
    expect(JSON.stringify(planFor(base, { ...base, ...secret }))).not.toContain('hush')
    const moved = planFor(
      { ...base, databases: { main } },
      { ...base, databases: { main: { ...main, url: 'postgres://a:new@b' } } },
    )
    expect(JSON.stringify(moved)).not.toMatch(/hush|new@/)
    expect(planFor({ ...base, databases: { main: { engine: 'sqlite' } } }, base).destroys).toEqual([
      'database main',
    ])
  })

  test('goes in the order of needs, what goes last first', () => {
    const empty = { ...base, services: { other: { command: ['o'] } }, edge: { routes: {} } }
    const order = (plan: EnvironmentPlan): string[] =>
      plan.steps.map(({ object }) => object).filter((object) => object.startsWith('service'))
    expect(order(planFor(empty, base))).toEqual(['service mailer', 'service web', 'service other'])
    expect(order(planFor(base, empty))).toEqual(['service other', 'service web', 'service mailer'])
  })

  test('says what it does to replicas and memory, and hides variables', () => {
    const fat = { ...web, replicas: 3, resources: { memoryMiB: 2000 }, env: { TOKEN: 'secret' } }
    const plan = planFor(base, { ...base, services: { mailer, web: fat } })
    expect(plan.steps[0]).toMatchObject({
      verb: 'replace',
      says: 'its 3 replicas are replaced, up to 1 more running meanwhile, without a request lost',
      replicas: { before: 1, after: 3 },
      memoryMiB: { before: 100, after: 6000 },
    })
    expect(JSON.stringify(plan)).not.toContain('secret')
    expect(plan.replicas).toEqual({ before: 2, after: 4, difference: 2, unbounded: 1 })
    expect(plan.memoryMiB).toEqual({
      before: 100,
      after: 6000,
      difference: 5900,
      machine: 4000,
      left: -2000,
    })
    expect(plan.notes).toEqual(['replicas may use 6000 MiB together, and this machine has 4000 MiB'])
  })

  test('warns of what old and new replicas use side by side', () => {
    const fat = { ...web, replicas: 2, resources: { memoryMiB: 1500 } }
    const [before, after] = [fat, { ...fat, command: ['other'] }].map((one) => ({
      ...base,
      services: { mailer, web: one },
    }))
    const { notes, memoryMiB } = planFor(before ?? {}, after ?? {})
    expect(memoryMiB).toMatchObject({ before: 3000, after: 3000, difference: 0, left: 1000 })
    expect(notes).toEqual([
      'while old and new replicas run side by side they may use 4500 MiB, and this machine has 4000 MiB',
    ])
    expect(planFor(before ?? {}, after ?? {}, { machineMiB: 4500 }).notes).toEqual([])
  })

  test('has another hash when the file or what runs has moved, and the same when neither has', () => {
    const { hash } = planFor(base, base)
    expect(planFor(base, base).hash).toBe(hash)
    expect(planFor(base, { ...base, people: {} }).hash).not.toBe(hash)
    expect(planFor(base, base, { status: statusOf({ release: '1.4.2' }) }).hash).not.toBe(hash)
    expect(planFor(base, base, { status: statusOf({ phase: 'moving' }) }).hash).not.toBe(hash)
    expect(planFor(base, base, { status: statusOf({ says: 'other words' }) }).hash).toBe(hash)
    expect(planFor(base, base, { status: statusOf({ phase: 'starting' }) }).hash).toBe(hash)
  })

  test('tries once more what was given up', () => {
    const status = statusOf({ phase: 'refused', rollout: 'web goes on as it was: it crashed' })
    expect(planFor(base, base, { status }).steps).toMatchObject([
      { object: 'service web', verb: 'replace', says: expect.stringContaining('it crashed') as string },
    ])
  })

  test('of a file that says the same is empty; of any other it is not', () => {
    fc.assert(
      fc.property(environmentData, environmentData, (first, second) => {
        expect(planFor(first, first).steps).toEqual([])
        const isSame =
          contentHash(parseEnvironment(first) as unknown as Json) ===
          contentHash(parseEnvironment(second) as unknown as Json)
        expect(planFor(first, second).steps.length === 0).toBe(isSame)
      }),
    )
  })

  test('there and back: what is created is removed', () => {
    const back = { create: 'remove', remove: 'create', change: 'change', replace: 'replace', scale: 'scale' }
    fc.assert(
      fc.property(environmentData, environmentData, (first, second) => {
        const there = planFor(first, second).steps.map(({ verb, object }) => `${back[verb]} ${object}`)
        const again = planFor(second, first).steps.map(({ verb, object }) => `${verb} ${object}`)
        expect(again.toSorted()).toEqual(there.toSorted())
      }),
    )
  })
})
