import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import { engineOn, inTime, scriptInImage, serving } from '../../../test/support/docker/engine.ts'
import { answerOf, groupOf } from '../../../test/support/environment/replicas.ts'
import {
  startSwarm,
  swarmPrograms,
  tinyImage,
  whyNoSwarm,
  type Daemon,
  type Swarm,
} from '../../../test/support/docker/index.ts'
import type { Group } from '../../capabilities/environment/ports.ts'
import { swarmNodes, type SwarmEngine } from './index.ts'

describe.skipIf(whyNoSwarm !== null)(`namespaces (${whyNoSwarm ?? 'there are'})`, () => {
  describeWith(swarmPrograms, 'on a swarm of two nodes', (paths) => {
    let swarm: Swarm
    let engine: SwarmEngine
    beforeAll(async () => {
      swarm = await startSwarm(paths, 2)
      engine = engineOn(swarm.daemons[0])
    })
    afterAll(() => swarm.stop())

    const replicas = async (): Promise<readonly ReplicaStatus[]> => (await engine.status()).replicas
    const hostsOf = (all: readonly ReplicaStatus[]): Readonly<Record<string, number>> =>
      Object.fromEntries(
        Object.entries(Object.groupBy(all, ({ host }) => host)).map(([host, some]) => [
          host,
          some?.length ?? 0,
        ]),
      )
    const areWell = (all: readonly ReplicaStatus[]): boolean =>
      all.length === 4 && all.every(({ state, port }) => state === 'running' && port !== null)

    test('what uses a volume runs where that is said to lie, and nowhere else', async () => {
      const [manager, worker] = swarm.daemons
      const script = 'echo -n x >> /volumes/game/index.html; exec httpd -f -p $PORT -h /volumes/game'
      const placed = (node: string): Group =>
        groupOf(scriptInImage(script, { mounts: { game: engine.volumes.directoryOf('game') }, node }), 3)
      await engine.run([placed('box-2')])
      const found = await inTime(
        replicas,
        (all) => all.length === 3 && all.every(({ state, port }) => state === 'running' && port !== null),
        'three run',
      )
      expect(hostsOf(found)).toEqual({ [worker?.address ?? '']: 3 })
      const texts = await Promise.all(found.map((one) => answerOf(one)))
      expect(texts).toEqual(['xxx', 'xxx', 'xxx'])
      const volumesOf = async (daemon: Daemon | undefined): Promise<readonly string[]> =>
        ((await daemon?.docker.listVolumes())?.Volumes ?? []).map(({ Name }) => Name)
      expect(await volumesOf(worker)).toContain('arcade_game')
      expect(await volumesOf(manager)).not.toContain('arcade_game')
      expect(await engine.volumes.whyKept('game', 'box-1')).toBeNull()
      expect(await engine.volumes.whyKept('game', 'box-2')).toContain('docker volume rm arcade_game')

      const nodes = (await swarmNodes(manager.socketPath)) ?? []
      expect(nodes.map(({ name }) => name).toSorted()).toEqual(['box-1', 'box-2'])
      const { id = '' } = nodes.find(({ name }) => name === 'box-1') ?? {}
      await engine.run([placed(id)])
      const moved = await inTime(
        replicas,
        (all) => all.length === 3 && all.every(({ host, port }) => host === manager.address && port !== null),
        'they run on the other',
      )
      expect(hostsOf(moved)).toEqual({ [manager.address]: 3 })

      await engine.run([placed('box-9')])
      const [down] = await inTime(
        replicas,
        (all) => all.length === 3 && all.every(({ state }) => state === 'crash-looped'),
        'it is said',
      )
      expect(down?.detail).toBe(
        'web has no node to run on: the swarm has no node "box-9": it has box-1, box-2',
      )
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'nothing is left')
    }, 180_000)

    test('an image that is on one node alone runs there, and is not bound to another', async () => {
      const [manager] = swarm.daemons
      const { image } = await engine.images.find(tinyImage)
      expect(image).toMatch(/^sha256:/)
      await engine.run([groupOf(scriptInImage(serving('here'), { image }), 2)])
      const found = await inTime(
        replicas,
        (all) => all.length === 2 && all.every(({ state, port }) => state === 'running' && port !== null),
        'two run',
      )
      expect(hostsOf(found)).toEqual({ [manager.address]: 2 })
      await engine.run([groupOf(scriptInImage(serving('here'), { image, node: 'box-2' }), 1)])
      const [down] = await inTime(
        replicas,
        (all) => all.length === 1 && all[0]?.state === 'crash-looped',
        'it is said',
      )
      expect(down?.detail).toContain('its image was made here and is nowhere else')
      await engine.run([])
      await inTime(replicas, (all) => all.length === 0, 'nothing is left')
    }, 180_000)

    test('replicas are spread, reached, restarted where they are, and move when their node dies', async () => {
      const [manager, worker] = swarm.daemons
      const group = groupOf(scriptInImage(serving('one')), 4)
      await engine.run([group])
      const before = await inTime(replicas, areWell, 'four run')
      expect(hostsOf(before)).toEqual({ [manager.address]: 2, [worker?.address ?? '']: 2 })
      for (const one of before) expect(await answerOf(one)).toBe('one')

      const remote = before.find(({ host }) => host === worker?.address) as ReplicaStatus
      expect((await engine.logs.tail(remote.logFile, 5)).lines).toEqual([])
      await engine.restart(remote.id)
      const renewed = await inTime(replicas, areWell, 'four run again')
      for (const { id, startedAt } of before)
        expect(renewed.find((one) => one.id === id)?.startedAt).not.toBe(startedAt)

      await worker?.kill()
      const after = await inTime(
        replicas,
        (all) => areWell(all) && all.every(({ host }) => host === manager.address),
        'all run on the node that is left',
      )
      expect(after.map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted())
      for (const one of after) expect(await answerOf(one)).toBe('one')
      const mark = { supervisor: 0, cluster: { id: '', index: 0, open: {}, closed: [] } }
      const events = await engine.events(mark, AbortSignal.timeout(10_000))
      expect(events.filter(({ what }) => what === 'replica-started')).toHaveLength(4)
    }, 180_000)
  })
})
