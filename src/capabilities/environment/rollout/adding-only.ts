import type { ReplicaStatus } from '../../../contracts/supervisor.ts'
import type { Engine, Group } from '../ports.ts'

type Running = Pick<ReplicaStatus, 'service' | 'specHash' | 'leaving'>

/** The groups that are asked for, but none smaller than it is; pure. */
export function neverFewer(groups: readonly Group[], replicas: readonly Running[]): readonly Group[] {
  const here = replicas.filter(({ leaving }) => !leaving)
  const there = Map.groupBy(here, ({ service, specHash }) => `${service} ${specHash}`)
  const missing = new Map(there)
  const kept = groups.map((group) => {
    const key = `${group.service} ${group.hash}`
    const count = there.get(key)?.length ?? 0
    missing.delete(key)
    return group.replicas >= count ? group : { ...group, replicas: count, leaving: [] }
  })
  const others = [...missing.values()].flatMap((members) => {
    const [first] = members
    if (first === undefined) return []
    const { service, specHash: hash } = first
    return [{ service, hash, specification: null, replicas: members.length, leaving: [] }]
  })
  return [...kept, ...others]
}

/** An engine that starts what is asked for and stops nothing. */
export function addingOnly(engine: Engine): Engine {
  return {
    runs: engine.runs,
    choosesReplica: engine.choosesReplica,
    status: () => engine.status(),
    restart: (replicaId) => engine.restart(replicaId),
    events: (after, signal) => engine.events(after, signal),
    run: async (groups) => engine.run(neverFewer(groups, (await engine.status()).replicas)),
  }
}
