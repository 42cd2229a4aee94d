import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import {
  importNodeImage,
  startSwarm,
  swarmPrograms,
  whyNoSwarm,
  type Swarm,
} from '../support/docker/index.ts'
import { until, type Place } from '../support/holdfast/index.ts'
import { beside, origin, path, statusOf, swarmConfig } from '../support/holdfast/on-swarm.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'on a swarm', (paths) => {
    const place = placesOfTests()
    let swarm: Swarm
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      await importNodeImage(swarm.daemons[0].docker)
    })
    afterAll(() => swarm.stop())

    const write = (here: Place, name: string, more: object = {}): void => {
      const [{ socketPath }] = swarm.daemons
      copyFileSync(origin, join(here.directory, 'origin.mjs'))
      here.write('holdfast.config.ts', swarmConfig({ swarm: `unix://${socketPath}` }, name, more))
    }
    const factsOf = (here: Place, kind: string): readonly string[] =>
      here
        .run('timeline', '--json', '--kind', kind)
        .out.split('\n')
        .filter((line) => line.includes(`"${kind}"`))

    test('two environments of one name are told apart, and one takes over only when told so', async () => {
      const [one, two] = [await place(), await place()]
      for (const here of [one, two]) write(here, 'twins')
      await one.up([], { PATH: path })
      const before = statusOf(one)?.replicas.map(({ startedAt }) => startedAt)

      const refused = await two.up([], { PATH: path })
      expect(await refused.ended).toBe(78)
      expect(refused.said()).toMatch(
        /another Holdfast \(\S+\) looks after the services of an environment "twins"/,
      )
      expect(refused.said()).toContain('holdfast up --take-over')
      expect(statusOf(one)?.replicas.map(({ startedAt }) => startedAt)).toEqual(before)

      await two.up(['--take-over'], { PATH: path })
      await until('it runs its own', () => statusOf(two)?.says === 'web is healthy', 60_000)
      expect(factsOf(two, 'environment.taken-over')).toHaveLength(1)
      expect(await beside(two, 'deploy', 'web', '--version', '2')).toContain('web runs 2')
      await until('the other says so', () => factsOf(one, 'environment.lost-to-another').length > 0)
      expect(one.run('status').out).toMatch(/another Holdfast \(\S+\) looks after the services of twins/)
      expect(one.run('environment', 'plan').err).toContain('another Holdfast')
      expect(statusOf(two)?.replicas.map(({ release }) => release)).toEqual(['2', '2'])

      two.run('down')
      rmSync(two.data, { recursive: true })
      const lost = await two.up([], { PATH: path })
      expect(await lost.ended).toBe(78)
      await two.up(['--take-over'], { PATH: path })
      await until('it runs its own again', () => statusOf(two)?.says === 'web is healthy', 60_000)
      expect(factsOf(one, 'environment.lost-to-another')).toHaveLength(1)
      for (const here of [one, two]) here.run('down')
    }, 240_000)

    test('a daemon that goes away in the middle of an apply: what was begun comes to its end', async () => {
      const here = await place()
      const [daemon] = swarm.daemons
      write(here, 'away')
      await here.up([], { PATH: path })
      await until('it has come to rest', () => statusOf(here)?.phase === 'steady', 60_000)
      write(here, 'away', {
        env: { COLOUR: 'blue' },
        replicas: 3,
        deploy: { canary: { for: '10s' }, drain: '500ms' },
      })
      const { hash } = JSON.parse(await beside(here, 'environment', 'plan', '--json')) as { hash: string }
      const applying = here.call('environment', 'apply', hash)
      await until(
        'something new was started',
        async () => {
          const all = await daemon.docker.listServices({ filters: { label: ['holdfast.environment=away'] } })
          return all.length > 1
        },
        60_000,
      )
      await daemon.kill()
      expect(await Promise.race([applying, Promise.resolve('on its way')])).toBe('on its way')
      await until('it is said', () => here.run('status').out.includes('does not answer'), 60_000)
      await daemon.start()
      const applied = await applying
      expect(applied.err + applied.out).toContain('1 change was made')
      expect(applied.code).toBe(0)
      await until('it has come to rest', () => statusOf(here)?.says === 'web is healthy', 60_000)
      expect(statusOf(here)).toMatchObject({ wanted: 3, healthy: 3, phase: 'steady' })
      expect(factsOf(here, 'environment.applied')).toHaveLength(1)
      expect(JSON.parse(await beside(here, 'environment', 'plan', '--json'))).toMatchObject({ steps: [] })
      here.run('down')
    }, 240_000)
  })
})
