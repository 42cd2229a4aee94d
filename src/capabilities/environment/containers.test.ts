import { describe, expect, test } from 'vitest'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import { jobsConfig, servicesConfig, volumesConfig } from './config.ts'
import { findPartedVolumes, findUnfitJobs, findUnfitServices, findUnplacedVolumes } from './findings/index.ts'
import { runSpecification } from './runs/specification.ts'
import { originOf } from './watch/assess.ts'
import { wishedServices } from './wish/index.ts'

const ground = {
  directory: '/srv/game',
  hostVariables: { PATH: '/bin', TOKEN: 'secret', HOME: '/home' },
  givenVariables: () => ({}),
  containers: true,
  releaseDirectory: (service: string, release: string) => `/releases/${service}/${release}`,
  releaseImage: (_service: string, release: string) => (release === 'image' ? 'r/web@sha256:1' : null),
  volumes: { uploads: { exclusive: false } },
  volumeDirectory: (volume: string) => `/volumes/${volume}`,
  databases: {},
  databaseDirectory: (database: string) => `/databases/${database}`,
  databaseUrl: ({ database }: { readonly database: string }) => `postgres://${database}`,
}
const services = servicesConfig.parse({
  web: {
    command: ['node', './web.ts'],
    build: { base: 'node:1' },
    port: 80,
    replicas: 2,
    passEnv: ['TOKEN'],
    volumes: ['uploads'],
    user: 'games',
    writes: ['cache'],
  },
  ready: { image: 'registry.example/arcade/ready:1' },
})

describe('what runs in containers', () => {
  test('has an image, its command as it is written, and nothing of this machine but what is named', () => {
    const [web, ready] = wishedServices(services, () => ({ wished: '7', pending: null }), ground)
    expect(web?.specification).toEqual({
      service: 'web',
      release: '7',
      command: ['node', './web.ts'],
      directory: '/releases/web/7',
      build: { base: 'node:1' },
      mounts: { uploads: '/volumes/uploads' },
      port: { fixed: 80 },
      variables: {
        TOKEN: 'secret',
        VOLUME_UPLOADS: '/volumes/uploads',
      },
      restarts: true,
      stopTimeoutMs: 1e4,
      mayExpose: false,
      memoryMiB: null,
      cpus: null,
    })
    expect(ready?.specification).toMatchObject({ command: [], image: 'registry.example/arcade/ready:1' })
  })

  test('runs from its release where that is an image, whatever else the file says it is made from', () => {
    const [web] = wishedServices(services, () => ({ wished: 'image', pending: null }), ground)
    expect(web?.specification).toMatchObject({ image: 'r/web@sha256:1', command: ['node', './web.ts'] })
    expect(web?.specification).not.toHaveProperty('build')
    const jobs = jobsConfig.parse({ migrate: { service: 'web', command: ['node', './migrate.ts'] } })
    const run = { services, replicas: ground, releaseOf: () => '7' }
    const migrate = jobs['migrate'] as (typeof jobs)[string]
    const place = { job: 'migrate', key: 'k', release: 'image' }
    expect(runSpecification(migrate, place, run)).toMatchObject({ image: 'r/web@sha256:1' })
    expect(runSpecification(migrate, place, run)).not.toHaveProperty('build')
  })

  test('is bound to the node that its volume lies on, with its jobs', () => {
    const placed = { ...ground, volumes: { uploads: { exclusive: false, node: 'box-2' } } }
    const [web] = wishedServices(services, () => ({ wished: '', pending: null }), placed)
    expect(web?.specification.node).toBe('box-2')
    const jobs = jobsConfig.parse({ migrate: { service: 'web', command: ['a'] } })
    const run = { services, replicas: placed, releaseOf: () => '' }
    const migrate = jobs['migrate'] as (typeof jobs)[string]
    expect(runSpecification(migrate, { job: 'migrate', key: 'k' }, run).node).toBe('box-2')
    const [local] = wishedServices(services, () => ({ wished: '', pending: null }), {
      ...placed,
      containers: false,
    })
    expect(local?.specification).not.toHaveProperty('node')
  })

  test('is not replaced in place for its port, which is nobody else’s', () => {
    const inPlace = (containers: boolean) =>
      wishedServices(services, () => ({ wished: '', pending: null }), { ...ground, containers })[0]?.rollout
        .inPlace
    expect([inPlace(true), inPlace(false)]).toEqual([false, true])
  })

  test('on this machine is a program, so that image and build change nothing', () => {
    const specificationOf = (data: unknown) =>
      wishedServices(servicesConfig.parse({ web: data }), () => ({ wished: '', pending: null }), {
        ...ground,
        containers: false,
      })[0]?.hash
    expect(specificationOf({ command: ['a'], build: {} })).toBe(specificationOf({ command: ['a'] }))
  })

  test('is run for jobs of a service in the image of that service', () => {
    const jobs = jobsConfig.parse({ migrate: { service: 'web', command: ['node', './migrate.ts'] } })
    const run = { services, replicas: ground, releaseOf: () => '7' }
    expect(
      runSpecification(jobs['migrate'] as (typeof jobs)[string], { job: 'migrate', key: 'k' }, run),
    ).toMatchObject({
      command: ['node', './migrate.ts'],
      build: { base: 'node:1' },
      directory: '/releases/web/7',
      mounts: { uploads: '/volumes/uploads' },
      restarts: false,
    })
  })

  test('answers at the address of its node', () => {
    const at = (host: string) => originOf({ host, port: 32_768 } as ReplicaStatus)
    expect([at('10.1.0.2'), at('fd00::2')]).toEqual(['http://10.1.0.2:32768', 'http://[fd00::2]:32768'])
  })
})

describe('the check', () => {
  const says = (data: Record<string, unknown>, containers: boolean): readonly string[] =>
    findUnfitServices(servicesConfig.parse(data), { containers }).map(
      ({ path, message }) => `${path}: ${message}`,
    )

  test.each([
    [{ web: { command: ['a'] } }, true, 'services.web: Docker Swarm runs it from an image, and it has none'],
    [
      { web: { build: {} } },
      true,
      'services.web.command: an image that is made for Node does not say what to run',
    ],
    [{ web: { image: 'x' } }, false, 'services.web.command: the local engine runs programs, not images'],
    [
      { web: { command: ['a'], build: {}, port: 80, replicas: 2 } },
      false,
      'services.web.port: cannot run several replicas on one fixed port',
    ],
  ])('refuses %j (containers: %s)', (data, containers, message) => {
    expect(says(data, containers)).toEqual([message])
  })

  test.each([
    [
      {
        web: { image: 'x' },
        own: { build: { dockerfile: 'Dockerfile' } },
        node: { command: ['node'], build: {} },
      },
      true,
    ],
    [{ elsewhere: { address: 'http://127.0.0.1:1' } }, true],
    [{ web: { command: ['a'], build: {} } }, false],
  ])('has nothing against %j (containers: %s)', (data, containers) => {
    expect(says(data, containers)).toEqual([])
  })

  describe('of volumes', () => {
    const nodes = [
      { id: 'n1', name: 'box-1' },
      { id: 'n2', name: 'box-2' },
    ]
    const sections = (volumes: object, replicas: number, more: object = {}) => ({
      volumes: volumesConfig.parse(volumes),
      services: servicesConfig.parse({ web: { image: 'x', volumes: ['game'], replicas }, ...more }),
    })
    const said = (volumes: object, replicas: number, more: object = {}): readonly string[] =>
      findUnplacedVolumes(sections(volumes, replicas, more), nodes).map(
        ({ path, message, hint }) => `${path}: ${message}; ${hint}`,
      )

    test('lets one replica have one, and as many as you like where it is said where it lies', () => {
      expect(said({ game: {} }, 1)).toEqual([])
      expect(said({ game: { node: 'box-2' } }, 3)).toEqual([])
      expect(said({ game: { node: 'n1' } }, 3)).toEqual([])
      expect(findUnplacedVolumes(sections({ game: {} }, 3), nodes.slice(1))).toEqual([])
    })

    test('refuses several replicas, or services, on several nodes, and says how to mend it', () => {
      const hint = 'name the node that it lies on (box-1, box-2): all that uses it runs there'
      expect(said({ game: {} }, 2)).toEqual([
        `volumes.game.node: the swarm has 2 nodes, and web (up to 2 replicas) would share it, which lies on one of them; ${hint}`,
      ])
      expect(said({ game: {} }, 1, { api: { image: 'x', volumes: ['game'] } })).toEqual([
        `volumes.game.node: the swarm has 2 nodes, and web and api would share it, which lies on one of them; ${hint}`,
      ])
    })

    test('refuses a node that there is not, a name that two have, and volumes that lie apart', () => {
      expect(said({ game: { node: 'box-3' } }, 1)).toEqual([
        'volumes.game.node: the swarm has no node "box-3"; did you mean "box-1"?',
      ])
      const twins = nodes.map(({ id }) => ({ id, name: 'box' }))
      const [twice] = findUnplacedVolumes(sections({ game: { node: 'box' } }, 1), twins)
      expect(twice).toMatchObject({
        message: '2 nodes of the swarm are called "box"',
        hint: 'name it by its id: n1 or n2',
      })
      const apart = { web: { image: 'x', volumes: ['game', 'chat'] } }
      const volumes = { game: { node: 'box-1' }, chat: { node: 'box-2' } }
      expect(findPartedVolumes(sections(volumes, 1, apart)).map(({ message }) => message)).toEqual([
        'its volumes lie on different nodes: box-1, box-2',
      ])
    })
  })

  test('refuses an image that is both there and made', () => {
    expect(() => servicesConfig.parse({ web: { image: 'x', build: {} } })).toThrow('not both')
  })

  test('refuses jobs that have no image, or name a directory of this machine', () => {
    const command = ['a']
    const jobs = jobsConfig.parse({
      alone: { command },
      good: { command, service: 'web' },
      far: { command, service: 'web', directory: 'x' },
    })
    expect(findUnfitJobs({ services, jobs }, { containers: true }).map(({ path }) => path)).toEqual([
      'jobs.alone.service',
      'jobs.far.directory',
    ])
    expect(findUnfitJobs({ services, jobs }, { containers: false })).toEqual([])
  })
})
