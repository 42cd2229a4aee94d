import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Group } from '../../capabilities/environment/ports.ts'
import type { ReplicaStatus, Specification } from '../../contracts/supervisor.ts'
import { contentHash, systemClock } from '../../kernel/std/index.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import {
  engineOn,
  idleSupervisor,
  inTime,
  scriptInImage,
  serving,
} from '../../../test/support/docker/engine.ts'
import { answerOf, groupOf } from '../../../test/support/environment/replicas.ts'
import {
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Swarm,
} from '../../../test/support/docker/index.ts'
import { claimGroups, otherOwners, type SwarmEngine } from './index.ts'

/** As of a service that is built, or that is none of Swarm's. */
function withoutImage(specification: Specification): Specification {
  const copy = { ...specification }
  delete copy.image
  return copy
}

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'on a swarm of one', (paths) => {
    let swarm: Swarm
    let engine: SwarmEngine
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-build-'))
    beforeAll(async () => {
      swarm = await startSwarm(paths)
      engine = engineOn(swarm.daemons[0])
    })
    afterEach(async () => {
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'nothing is left')
    })
    afterAll(async () => {
      await swarm.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    const replicas = async (): Promise<readonly ReplicaStatus[]> => (await engine.status()).replicas
    const one = async (groups: readonly Group[], state: ReplicaStatus['state']): Promise<ReplicaStatus> => {
      const all = await inTime(
        async () => {
          await engine.run(groups)
          return replicas()
        },
        (found) => found.length === 1 && found[0]?.state === state,
        `one is ${state}`,
      )
      return all[0] as ReplicaStatus
    }
    const written = (name: string, files: Readonly<Record<string, string>>): string => {
      const directory = join(folder, name)
      for (const hidden of ['.git', '.holdfast']) mkdirSync(join(directory, hidden), { recursive: true })
      const all = { '.git/HEAD': 'x', '.holdfast/root.token': 'x', ...files }
      for (const [file, text] of Object.entries(all)) writeFileSync(join(directory, file), text)
      return directory
    }
    const built = (directory: string, change: Partial<Specification> = {}): Specification =>
      withoutImage({
        ...scriptInImage(''),
        build: { base: tinyImage },
        directory,
        command: ['sh', '-c', 'exec httpd -f -p $PORT -h /app'],
        ...change,
      })

    test('makes an image out of a directory and runs it by its id', async () => {
      const directory = written('good', { 'index.html': 'built', secret: 'x', '.dockerignore': 'secret\n' })
      const replica = await one([groupOf(built(directory), 1)], 'running')
      expect(
        await inTime(
          () => answerOf(replica).catch(String),
          (text) => !text.includes('Error'),
          'answers',
        ),
      ).toBe('built')
      expect(await answerOf(replica, '/secret')).toContain('404')
      expect(await answerOf(replica, '/.git/HEAD')).toContain('404')
      expect(await answerOf(replica, '/.holdfast/root.token')).toContain('404')
      const { docker } = swarm.daemons[0]
      const [{ Spec }] = (await docker.listServices()) as unknown as [
        { Spec: { TaskTemplate: { ContainerSpec: { Image: string } } } },
      ]
      const image = Spec.TaskTemplate.ContainerSpec.Image
      expect(image).toMatch(/^sha256:/)
      expect((await docker.getImage(image).inspect()).Config.Labels).toMatchObject({
        'holdfast.environment': 'arcade',
      })
    })

    test('removes the images of releases that are forgotten and of files that have changed, but none in use', async () => {
      const { docker } = swarm.daemons[0]
      const made = async (): Promise<readonly string[]> => {
        const filters = JSON.stringify({ label: ['holdfast.environment=arcade'] })
        return (await docker.listImages({ filters })).map(({ Id }) => Id)
      }
      const [first, second] = [written('one', { a: '1' }), written('two', { a: '2' })]
      await one([groupOf(built(first), 1)], 'running')
      const before = await made()
      const beside = [groupOf(built(first), 1), groupOf(built(second), 1)]
      await inTime(
        async () => {
          await engine.run(beside)
          return made()
        },
        (ids) => ids.length === before.length + 1,
        'the other is made',
      )
      await engine.images.forget(first)
      expect(await made()).toEqual(expect.arrayContaining([...before]))
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'nothing is left')
      await inTime(
        async () => {
          await engine.images.forget(second)
          return made()
        },
        (ids) => ids.length === before.length,
        'the other is gone',
      )

      const lying = written('lying', { a: '1' })
      const asItLies = (text: string): Group => {
        writeFileSync(join(lying, 'a'), text)
        return groupOf(built(lying, { release: '', variables: { TEXT: text } }), 1)
      }
      await one([asItLies('1')], 'running')
      const [old] = (await made()).filter((id) => !before.includes(id))
      for (const text of ['2', '3', '4']) await one([asItLies(text)], 'running')
      await inTime(made, (ids) => !ids.includes(old ?? ''), 'the oldest is gone')
    }, 180_000)

    test('makes one image for all that are made alike, and takes from none what another is given', async () => {
      const directory = written('shared', { 'index.html': 'shared' })
      const services = ['a', 'b', 'c', 'd']
      const groups = services.map((service) => groupOf(built(directory, { service, release: '' }), 1))
      const all = await inTime(
        async () => {
          await engine.run(groups)
          return replicas()
        },
        (found) => found.length === services.length && found.every(({ state }) => state !== 'starting'),
        'all are there',
      )
      expect(all.map(({ state, detail }) => [state, detail])).toEqual(services.map(() => ['running', null]))
      const label = ['holdfast.environment=arcade', `holdfast.directory=${directory}`]
      const made = await swarm.daemons[0].docker.listImages({ filters: JSON.stringify({ label }) })
      expect(made).toHaveLength(1)
    }, 60_000)

    test('makes it as its Dockerfile says', async () => {
      const dockerfile = `FROM ${tinyImage}\nRUN mkdir /made && echo -n mine > /made/index.html\nCMD ["sh", "-c", "exec httpd -f -p $PORT -h /made"]\n`
      const directory = written('own', { Dockerfile: dockerfile })
      const build = { dockerfile: 'Dockerfile', base: '' }
      const replica = await one([groupOf(built(directory, { build, command: [] }), 1)], 'running')
      expect(
        await inTime(
          () => answerOf(replica).catch(String),
          (text) => !text.includes('Error'),
          'answers',
        ),
      ).toBe('mine')
    })

    test('says why an image could not be made, and forgets it when it is not asked for', async () => {
      const directory = written('bad', { Dockerfile: `FROM ${tinyImage}\nRUN echo before && exit 7\n` })
      const build = { dockerfile: 'Dockerfile', base: '' }
      const replica = await one([groupOf(built(directory, { build }), 1)], 'crash-looped')
      expect(replica.detail).toMatch(
        /the image of web could not be made: .*before.*returned a non-zero code: 7/,
      )
      const gone = await one([groupOf(built(join(folder, 'nowhere')), 1)], 'crash-looped')
      expect(gone.detail).toMatch(/could not be made: .*ENOENT/)
    })

    test.each(['', '../containers/json?a', 'web 1', `${'w'.repeat(300)}:1`, `sha256:${'0'.repeat(64)}`])(
      'finds no image called %j, and asks no further',
      async (name) => {
        const refusal = { code: 'swarm.no-image', kind: 'user' }
        await expect(engine.images.find(name)).rejects.toMatchObject(refusal)
      },
    )

    test('says that there is no such image', async () => {
      await engine.run([groupOf(scriptInImage('', { image: 'holdfast-test/none:1' }), 1)])
      const all = await inTime(
        replicas,
        (found) => found.some(({ detail }) => detail?.includes('No such image') === true),
        'it says so',
      )
      expect(all[0]).toMatchObject({ pid: null, port: null })
    })

    test('reads the log of a replica, its end first and then what comes', async () => {
      const script = 'for i in $(seq 30); do echo line $i; done; while true; do sleep 0.2; echo tick; done'
      const { logFile } = await one([groupOf(scriptInImage(script, { port: null }), 1)], 'running')
      await inTime(
        () => engine.logs.tail(logFile, 5),
        ({ lines }) => lines.includes('tick'),
        'it ticks',
      )
      const { lines, end } = await engine.logs.tail(logFile, 3)
      expect(lines).toHaveLength(3)
      expect((await engine.logs.tail(logFile, 1000)).lines.slice(0, 30)).toEqual(
        Array.from({ length: 30 }, (_, index) => `line ${index + 1}`),
      )
      const stopping = new AbortController()
      const came: string[] = []
      for await (const line of engine.logs.follow(logFile, end, stopping.signal)) {
        came.push(line)
        if (came.length === 3) stopping.abort()
      }
      expect(came).toEqual(['tick', 'tick', 'tick'])
    })

    test('keeps what is in a volume, and removes it when told', async () => {
      const script = 'echo -n x >> /volumes/uploads/index.html; exec httpd -f -p $PORT -h /volumes/uploads'
      const group = groupOf(
        scriptInImage(script, { mounts: { uploads: engine.volumes.directoryOf('uploads') } }),
        1,
      )
      const first = await one([group], 'running')
      expect(
        await inTime(
          () => answerOf(first).catch(String),
          (text) => !text.includes('Error'),
          'answers',
        ),
      ).toBe('x')
      await engine.restart(first.id)
      const again = await inTime(
        replicas,
        ([found]) => found?.state === 'running' && found.startedAt !== first.startedAt,
        'it is another',
      )
      expect(
        await inTime(
          () => answerOf(again[0] as ReplicaStatus).catch(String),
          (text) => !text.includes('Error'),
          'answers',
        ),
      ).toBe('xx')
      const [uploads, ...others] = await engine.volumes.list()
      expect(others).toEqual([])
      expect(uploads).toMatchObject({ name: 'uploads', place: 'arcade_uploads', sizeBytes: null })
      expect(uploads?.since).toBeGreaterThan(0)
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'it is gone')
      await inTime(
        () => engine.volumes.remove('uploads').then(() => 'removed', String),
        (said) => said === 'removed',
        'it can be removed',
      )
      await engine.volumes.remove('uploads')
      expect(await engine.volumes.list()).toEqual([])
      const { Volumes } = await swarm.daemons[0].docker.listVolumes()
      expect(Volumes.map(({ Name }) => Name)).not.toContain('arcade_uploads')
    })

    test('goes on beside replicas that the supervisor still runs, until they are not asked for', async () => {
      const local = withoutImage(scriptInImage(''))
      const hash = contentHash(local)
      const there: ReplicaStatus = {
        id: 'web/1',
        service: 'web',
        state: 'running',
        leaving: false,
        specHash: hash,
        release: '',
        pid: 1,
        host: '127.0.0.1',
        port: 3e3,
        detail: null,
        startedAt: 1,
        restarts: 0,
        adopted: false,
        lastExit: null,
        cpu: null,
        memoryBytes: null,
        logFile: '/log',
      }
      const moving = engineOn(swarm.daemons[0], idleSupervisor([there]))
      const fresh = groupOf(scriptInImage(serving('moved')), 1)
      const old: Group = { service: 'web', hash, specification: null, replicas: 1, leaving: [] }
      await moving.run([old, fresh])
      const both = await inTime(
        async () => (await moving.status()).replicas,
        (all) => all.length === 2,
        'both are there',
      )
      expect(both.map(({ specHash }) => specHash)).toEqual([hash, fresh.hash])
      expect((await moving.run([fresh])).replicas.map(({ specHash }) => specHash)).toEqual([fresh.hash])
    })

    test('changes nothing that another Holdfast looks after, until it takes it over', async () => {
      const [daemon] = swarm.daemons
      const group = groupOf(scriptInImage(serving('one')), 1)
      const before = await one([group], 'running')
      const other = engineOn(daemon, idleSupervisor(), 'house-2')
      const refused = { code: 'swarm.taken-over', message: expect.stringContaining('(house-1)') as string }
      await expect(other.run([])).rejects.toMatchObject(refused)
      await expect(other.restart(before.id)).rejects.toMatchObject(refused)
      await expect(other.volumes.remove('uploads')).rejects.toMatchObject(refused)
      const claim = { environment: 'arcade', id: 'house-2' }
      expect(await otherOwners(daemon.socketPath, claim)).toEqual(['house-1'])
      expect(await claimGroups(daemon.socketPath, claim)).toEqual(['house-1'])
      expect(await otherOwners(daemon.socketPath, claim)).toEqual([])
      await other.run([group])
      const [after] = await replicas()
      expect(after).toMatchObject({ id: before.id, startedAt: before.startedAt, pid: before.pid })
      const back = { code: 'swarm.taken-over', message: expect.stringContaining('(house-2)') as string }
      await expect(engine.run([group])).rejects.toMatchObject(back)
      expect(await claimGroups(daemon.socketPath, { ...claim, id: 'house-1' })).toEqual(['house-2'])
      expect(await otherOwners(join(folder, 'none'), claim)).toBeNull()
    })

    test('goes by the file, whatever DOCKER_HOST says', async () => {
      vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1')
      try {
        expect((await engineOn(swarm.daemons[0]).status()).replicas).toEqual([])
      } finally {
        vi.unstubAllEnvs()
      }
    })

    test('of a daemon that is away, says so while the supervisor is still heard', async () => {
      const nowhere = engineOn({ ...swarm.daemons[0], socketPath: join(folder, 'none') })
      await expect(nowhere.status()).rejects.toMatchObject({ code: 'swarm.unreachable', kind: 'operational' })
      const mark = { supervisor: 0, cluster: { id: '', index: 0, open: {}, closed: [] } }
      const startedMs = systemClock.monotonicMs()
      expect(await nowhere.events(mark, new AbortController().signal)).toEqual([])
      expect(systemClock.monotonicMs() - startedMs).toBeGreaterThan(1000)
    })

    test('refuses a daemon that manages no swarm', async () => {
      const { docker } = swarm.daemons[0]
      await docker.swarmLeave({ force: true })
      await expect(engineOn(swarm.daemons[0]).status()).rejects.toMatchObject({
        code: 'swarm.not-a-manager',
        kind: 'user',
      })
      await docker.swarmInit({
        ListenAddr: `${swarm.daemons[0].address}:2377`,
        AdvertiseAddr: `${swarm.daemons[0].address}:2377`,
      })
    })
  })
})
