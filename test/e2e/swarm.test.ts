import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeployHistory, EnvironmentStatus } from '../../src/contracts/environment.ts'
import { describeWith } from '../support/describe-with.ts'
import {
  importNodeImage,
  nodeImage,
  startSwarm,
  swarmPrograms,
  whyNoSwarm,
  type Swarm,
} from '../support/docker/index.ts'
import { until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')
const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`

function config(engine: unknown, name = 'e2e'): string {
  const deploy = { canary: { for: '0s' }, drain: '500ms' }
  const web = {
    command: ['node', 'origin.mjs'],
    health: '/healthz',
    replicas: 2,
    startTimeout: '30s',
    stopTimeout: '2s',
    build: { base: nodeImage },
    deploy,
  }
  const edge = { routes: { '/*': { to: 'web', limit: '100000/s' } } }
  return `export default ${JSON.stringify({ name, engine, services: { web }, edge }, null, 2)}\n`
}

/** Asks all the time; counts answers that are not what they should be. */
function keepAsking(url: string) {
  const over = new AbortController()
  const failures: string[] = []
  let answers = 0
  const asking = (async () => {
    while (!over.signal.aborted) {
      const answer = await fetch(url).then(
        async (got) => `${got.status} ${await got.text()}`,
        (error: unknown) => String(error),
      )
      answers += 1
      if (!answer.startsWith('200 hello')) failures.push(answer)
      await new Promise((again) => setTimeout(again, 20))
    }
  })()
  return async () => {
    over.abort()
    await asking
    return { failures, answers }
  }
}

/** Runs the command line while requests go on. */
async function beside(here: Place, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { cwd: here.directory })
  return stdout
}

const statusOf = (here: Place): EnvironmentStatus['services'][number] | undefined =>
  (JSON.parse(here.run('status', '--json').out) as EnvironmentStatus).services[0]

const addressesOf = (here: Place): readonly string[] =>
  (statusOf(here)?.replicas ?? []).map(({ address }) => URL.parse(address ?? '')?.hostname ?? '')

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
      here.write('holdfast.config.ts', config('local'))
      const up = await here.up([], { PATH: path })
      expect(up.said()).toContain('web is healthy')
      expect(addressesOf(here)).toEqual(['127.0.0.1', '127.0.0.1'])

      const stop = keepAsking(here.edgeUrl)
      here.write('holdfast.config.ts', config({ swarm: `unix://${daemon.socketPath}` }))
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
      here.write('holdfast.config.ts', config({ swarm: `unix://${daemon.socketPath}` }, 'images'))
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
      expect(history.releases).toEqual([
        { service: 'web', running: '2', image: made?.Id, kept: ['2', '1'], back: '1' },
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

      here.write('holdfast.config.ts', config('local', 'images'))
      const back = here.run('environment', 'plan')
      expect(back.err).toContain('release 2 of web is an image, and the local engine runs programs')
      here.run('down')
    }, 240_000)
  })
})
