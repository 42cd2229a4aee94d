import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReplicaStatus } from '../../contracts/supervisor.ts'
import { describeWith } from '../../../test/support/describe-with.ts'
import { engineOn, inTime, scriptInImage, serving } from '../../../test/support/docker/engine.ts'
import { answerOf, groupOf } from '../../../test/support/environment/replicas.ts'
import { startSwarm, swarmPrograms, whyNoSwarm, type Swarm } from '../../../test/support/docker/index.ts'
import type { SwarmEngine } from './index.ts'

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
