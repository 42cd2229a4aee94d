import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReplicaStatus, Specification } from '../../contracts/supervisor.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import { engineOn, inTime, scriptInImage, serving } from '../../../test/support/docker/engine.ts'
import {
  startRegistry,
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Registry,
  type Swarm,
} from '../../../test/support/docker/index.ts'
import { answerOf, groupOf } from '../../../test/support/environment/replicas.ts'
import { dockerDoor } from './docker/docker-door.ts'
import { registryAuthFor, registryOf } from './images/registry-auth.ts'
import type { SwarmEngine } from './index.ts'

const index = 'https://index.registry.example/v1/'

test.each([
  ['web', index],
  ['arcade/web:1', index],
  ['registry.example/arcade/web', index],
  ['other.example/arcade/web:1', 'other.example'],
  ['localhost/web', 'localhost'],
  ['registry:5000/web@sha256:ab', 'registry:5000'],
])('the registry of %s is %s', (name, registry) => {
  expect(registryOf(name, index)).toBe(registry)
})

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith([...swarmPrograms, 'docker-registry'], 'with a registry', (paths) => {
    let swarm: Swarm
    let registry: Registry
    let engine: SwarmEngine
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-pushed-'))
    beforeAll(async () => {
      swarm = await startSwarm(paths, 2)
      registry = await startRegistry(paths['docker-registry'], swarm.daemons[0])
      engine = engineOn(swarm.daemons[0])
    })
    beforeEach(() => vi.stubEnv('DOCKER_CONFIG', registry.login))
    afterEach(async () => {
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'nothing is left')
      vi.unstubAllEnvs()
    })
    afterAll(async () => {
      await registry.stop()
      await swarm.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    const replicas = async (): Promise<readonly ReplicaStatus[]> => (await engine.status()).replicas
    const spread = async (specification: Specification): Promise<readonly ReplicaStatus[]> => {
      const group = groupOf(specification, 4)
      const found = await inTime(
        async () => {
          await engine.run([group])
          return replicas()
        },
        (all) => all.length === 4 && all.every(({ state, port }) => state === 'running' && port !== null),
        'four run',
      )
      expect(new Set(found.map(({ host }) => host)).size).toBe(2)
      return found
    }
    const answers = (all: readonly ReplicaStatus[]): Promise<readonly string[]> =>
      Promise.all(
        all.map((one) =>
          inTime(
            () => answerOf(one).catch(String),
            (text) => !text.includes('Error'),
            'it answers',
          ),
        ),
      )

    test('an image is found by its digest, whatever its name comes to mean, and any node gets it', async () => {
      const { docker, socketPath } = swarm.daemons[0]
      const name = `${registry.host}/arcade/web:1`
      const push = async (): Promise<void> => {
        const auth = await registryAuthFor(dockerDoor(socketPath), name)
        const stream = await docker
          .getImage(`${registry.host}/arcade/web`)
          .push({ tag: '1', authconfig: auth })
        for await (const chunk of stream) void chunk
      }
      const tag = { repo: `${registry.host}/arcade/web`, tag: '1' }
      await docker.getImage(tinyImage).tag(tag)
      await push()
      await docker.getImage(name).remove()
      const found = await engine.images.find(name)
      expect(found.image).toBe(`${name}@sha256:${found.digest}`)
      expect(found.digest).toMatch(/^[0-9a-f]{64}$/)

      const other = await docker.createContainer({ Image: tinyImage, Cmd: ['true'] })
      await other.commit({ ...tag, changes: 'LABEL other=1' })
      await other.remove()
      await push()
      expect((await engine.images.find(name)).digest).not.toBe(found.digest)
      const all = await spread(scriptInImage(serving('pushed'), { image: found.image }))
      expect(await answers(all)).toEqual(Array.from({ length: 4 }, () => 'pushed'))

      const missing = engine.images.find(`${registry.host}/arcade/none:1`)
      await expect(missing).rejects.toMatchObject({ code: 'swarm.no-image', kind: 'user' })
      vi.stubEnv('DOCKER_CONFIG', folder)
      await expect(engine.images.find(`${registry.host}/arcade/none:1`)).rejects.toThrow(
        /no basic auth|unauthorized/i,
      )
    }, 180_000)

    test('an image that is made here is pushed where that is said, and runs on nodes that did not make it', async () => {
      writeFileSync(join(folder, 'index.html'), 'made')
      const { image: _none, ...specification } = scriptInImage('exec httpd -f -p $PORT -h /app')
      const push = `${registry.host}/arcade/made`
      const all = await spread({ ...specification, build: { base: tinyImage, push }, directory: folder })
      expect(await answers(all)).toEqual(Array.from({ length: 4 }, () => 'made'))

      vi.stubEnv('DOCKER_CONFIG', folder)
      const refused = {
        ...specification,
        release: 'two',
        build: { base: tinyImage, push },
        directory: folder,
      }
      const down = await inTime(
        async () => {
          await engine.run([groupOf(refused, 1)])
          return replicas()
        },
        (found) => found.length === 1 && found[0]?.state === 'crash-looped',
        'it says that it may not',
      )
      expect(down[0]?.detail).toMatch(/the image of web could not be made: it could not be pushed: /)
    }, 180_000)
  })
})
