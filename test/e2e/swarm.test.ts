import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeployHistory } from '../../src/contracts/environment.ts'
import { describeWith } from '../support/describe-with.ts'
import {
  importNodeImage,
  startSwarm,
  swarmPrograms,
  whyNoSwarm,
  type Swarm,
} from '../support/docker/index.ts'
import { until } from '../support/holdfast/index.ts'
import {
  addressesOf,
  beside,
  keepAsking,
  origin,
  path,
  statusOf,
  swarmConfig,
} from '../support/holdfast/on-swarm.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'from this machine to a swarm', (paths) => {
    const place = placesOfTests()
    let swarm: Swarm
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      await importNodeImage(swarm.daemons[0].docker)
    })
    afterAll(() => swarm.stop())

    test('one line of the file moves it, a deploy goes on as before, and no request is lost', async () => {
      const here = await place()
      const [daemon] = swarm.daemons
      copyFileSync(origin, join(here.directory, 'origin.mjs'))
      here.write('holdfast.config.ts', swarmConfig('local'))
      const up = await here.up([], { PATH: path })
      expect(up.said()).toContain('web is healthy')
      expect(addressesOf(here)).toEqual(['127.0.0.1', '127.0.0.1'])

      const stop = keepAsking(here.edgeUrl)
      here.write('holdfast.config.ts', swarmConfig({ swarm: `unix://${daemon.socketPath}` }))
      const plan = JSON.parse(await beside(here, 'environment', 'plan', '--json')) as {
        hash: string
        steps: { object: string; verb: string }[]
      }
      expect(plan.steps).toContainEqual(expect.objectContaining({ object: 'service web', verb: 'replace' }))
      await beside(here, 'environment', 'apply', plan.hash)
      await until(
        'both run on the swarm',
        () => addressesOf(here).every((host) => host === daemon.address),
        60_000,
      )
      const moved = await stop()
      expect(moved.failures).toEqual([])
      expect(moved.answers).toBeGreaterThan(20)

      const deploying = keepAsking(here.edgeUrl)
      const deployed = await beside(here, 'deploy', 'web', '--version', '2')
      expect(deployed).toContain('web runs 2')
      expect((await deploying()).failures).toEqual([])
      expect(statusOf(here)?.replicas.map(({ release }) => release)).toEqual(['2', '2'])
      expect(here.run('logs', 'web').out).toContain('listening')
      expect(here.run('restart', 'web').code).toBe(0)

      const events = here.run('timeline', '--json').out
      expect(events).toContain('environment.rolled-out')
      here.run('down')
      const left = await daemon.docker.listServices()
      expect(left.map(({ Spec }) => Spec?.Labels?.['holdfast.release'])).toEqual(['2'])
    }, 240_000)

    test('a release may be an image, one goes back from it and to it, and one that is none changes nothing', async () => {
      const here = await place()
      const [daemon] = swarm.daemons
      copyFileSync(origin, join(here.directory, 'origin.mjs'))
      here.write('holdfast.config.ts', swarmConfig({ swarm: `unix://${daemon.socketPath}` }, 'images'))
      await here.up([], { PATH: path })
      expect(await beside(here, 'deploy', 'web', '--version', '1')).toContain('web runs 1')
      const [made] = await daemon.docker.listImages({
        filters: { label: ['holdfast.environment=images', 'holdfast.release=1'] },
      })
      await daemon.docker.getImage(made?.Id ?? '').tag({ repo: 'e2e/web', tag: '2' })

      const asking = keepAsking(here.edgeUrl)
      const deploy = ['deploy', 'web', '--version', '2', '--from', 'image:e2e/web:2']
      expect(await beside(here, ...deploy)).toContain('web runs 2')
      expect(statusOf(here)?.replicas.map(({ release }) => release)).toEqual(['2', '2'])
      const imageOf = async (release: string): Promise<string | undefined> => {
        const all = await daemon.docker.listServices({ filters: { label: [`holdfast.release=${release}`] } })
        const whole = all.find(({ Spec }) => Spec?.Labels?.['holdfast.environment'] === 'images')
        return (whole?.Spec?.TaskTemplate as { ContainerSpec: { Image: string } } | undefined)?.ContainerSpec
          .Image
      }
      expect(await imageOf('2')).toBe(made?.Id)
      const history = JSON.parse(await beside(here, 'deploy', 'history', '--json')) as DeployHistory
      const kept = [
        { release: '2', image: made?.Id },
        { release: '1', image: null },
      ]
      expect(history.releases).toMatchObject([
        { service: 'web', running: '2', image: made?.Id, kept, back: '1' },
      ])
      expect(history.deploys[0]?.source).toBe('image e2e/web:2')
      expect(await beside(here, 'deploy', 'rollback', 'web')).toContain('web runs 1')
      expect(await beside(here, 'deploy', 'rollback', 'web', '--to', '2')).toContain('web runs 2')
      expect(await imageOf('2')).toBe(made?.Id)

      const missing = here.run('deploy', 'web', '--version', '3', '--from', 'image:e2e/none:3')
      expect(missing.code).toBe(66)
      expect(missing.err).toMatch(
        /there is no image e2e\/none:3, here or where its name points: .*Docker refuses: /,
      )
      expect(statusOf(here)?.says).toBe('web is healthy')
      expect((await asking()).failures).toEqual([])

      here.write('holdfast.config.ts', swarmConfig('local', 'images'))
      const back = here.run('environment', 'plan')
      expect(back.err).toContain('release 2 of web is an image, and the local engine runs programs')
      here.run('down')
    }, 240_000)
  })
})
