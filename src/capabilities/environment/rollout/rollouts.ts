import { environmentFacts, type RolloutPhase } from '../../../contracts/environment.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import type { Engine, Group } from '../ports.ts'
import type { WishedService } from '../wish/index.ts'
import {
  decideRollout,
  type RolloutDecision,
  type RolloutMemory,
  type SeenReplica,
} from './decide-rollout.ts'
import { judge, type Verdict } from './judge.ts'
import { measureSides } from './measures.ts'

/** What is known of a replica's health: null, not yet. */
export interface Health {
  readonly healthy: boolean | null
  readonly detail: string
}

/** How everything is that services may need. */
export interface Wellness {
  ofReplica(replica: ReplicaStatus): Health
  /** Whether something that others run is well; false of what we run. */
  isWellOutside(name: string): boolean
}

/** What rollouts stand on. */
export interface RolloutParts {
  readonly context: Pick<Context, 'clock' | 'series' | 'record' | 'log'>
  readonly engine: Pick<Engine, 'choosesReplica' | 'run'>
  /** What every service is to be, now. */
  readonly wished: () => readonly WishedService[]
  /** Why a group of a service was given up; null: it was not. */
  readonly refused: (service: string, hash: string) => string | null
  /** Groups that are nobody's replicas: what runs once. */
  readonly others: (replicas: readonly ReplicaStatus[]) => readonly Group[]
}

/** How far a service has come. */
export interface Standing {
  readonly phase: RolloutPhase
  /** The group that is wished, as far as it was looked at; empty: it was not. */
  readonly hash: string
  /** In words; empty when steady. */
  readonly says: string
  /** What came of judging it, in words. */
  readonly verdict: string
}

/** Moves every service to the group that is wished for it. */
export interface Rollouts {
  /**
   * Looks at what runs and takes the next step for each service. Answers with what runs then, null when nothing was to
   * be changed. Errors: `supervisor.unreachable`.
   */
  step(replicas: readonly ReplicaStatus[], wellness: Wellness): Promise<SupervisorStatus | null>
  /** Replicas that the edge shall not send to. */
  withheld(): ReadonlySet<string>
  /** Weight of the replicas of a group among those of their service, 100 is ordinary. */
  weightOf(hash: string): number
  standing(service: string): Standing
  /** Whether nothing is on the way. */
  readonly isSteady: boolean
}

const ordinaryWeight = 100
const mostWeight = 1000
const unknown: Standing = { phase: 'waiting', hash: '', says: '', verdict: '' }
/** A new release that has crashed so often and once more is not waited for. */
const patientRestarts = 1
const givenUp: ReadonlySet<ReplicaStatus['state']> = new Set(['crash-looped', 'exposed'])

/** Whether exactly these groups are there. */
function isMet(groups: readonly Group[], replicas: readonly ReplicaStatus[]): boolean {
  const here = replicas.filter(({ leaving }) => !leaving)
  const counted = groups.map(
    ({ service, hash }) =>
      here.filter((replica) => replica.service === service && replica.specHash === hash).length,
  )
  return (
    groups.every(({ replicas: wanted }, index) => counted[index] === wanted) &&
    counted.reduce((sum, count) => sum + count, 0) === here.length
  )
}

/** Weight of each of `fresh` new replicas so that they get `share` of the requests beside `old` ordinary ones. */
export function canaryWeight(share: number, fresh: number, old: number): number {
  if (fresh === 0 || old === 0 || share >= 1) return ordinaryWeight
  const weight = Math.round((share * old * ordinaryWeight) / ((1 - share) * fresh))
  return Math.min(mostWeight, Math.max(1, weight))
}

/** Creates rollouts that have seen nothing yet. */
export function createRollouts(parts: RolloutParts): Rollouts {
  const { context, engine } = parts
  const decisions = new Map<string, RolloutDecision>()
  const weights = new Map<string, number>()
  /** What was said of the group that was judged last, by service. */
  const verdicts = new Map<string, { readonly hash: string; readonly says: string }>()

  const verdictOf = async (service: WishedService, memory: RolloutMemory | null): Promise<Verdict> => {
    const since = memory?.hash === service.hash && !memory.judged ? memory.judgedSince : null
    if (since === null) return { kind: 'pending' }
    const judgedForMs = context.clock.monotonicMs() - since
    const to = context.clock.now()
    const measured = { service: service.name, fresh: service.hash, from: to - judgedForMs, to }
    const verdict = judge(await measureSides(context.series, measured), service.rollout, judgedForMs)
    if (verdict.kind === 'good') verdicts.set(service.name, { hash: service.hash, says: verdict.says })
    return verdict
  }

  const decide = async (
    service: WishedService,
    seen: readonly SeenReplica[],
    isWell: (name: string) => boolean,
  ): Promise<RolloutDecision> => {
    const memory = decisions.get(service.name)?.memory ?? null
    return decideRollout({
      service,
      seen,
      memory,
      missing: service.needs.filter((name) => !isWell(name)),
      verdict: await verdictOf(service, memory),
      refused: parts.refused(service.name, service.hash),
      choosesReplica: engine.choosesReplica,
      nowMs: context.clock.monotonicMs(),
    })
  }

  const note = async (service: WishedService, decision: RolloutDecision): Promise<void> => {
    const before = decisions.get(service.name)
    decisions.set(service.name, decision)
    const { name, hash, specification, replicas } = service
    const data = { service: name, release: specification.release, group: hash }
    const extras = { subject: `service:${name}` }
    if (decision.failure !== null) {
      const because = decision.failure
      await context.record(environmentFacts.rolloutRefused, { ...data, because }, extras)
    }
    const wasMoving = before !== undefined && ['judging', 'moving'].includes(before.phase)
    if (wasMoving && decision.phase === 'steady') {
      await context.record(environmentFacts.rolledOut, { ...data, replicas }, extras)
    }
  }

  const weigh = (service: WishedService, seen: readonly SeenReplica[]): void => {
    const { share = null } = decisions.get(service.name) ?? {}
    const withheld = new Set(decisions.get(service.name)?.withheld)
    const serving = seen.filter(({ id, leaving }) => !leaving && !withheld.has(id))
    const fresh = serving.filter(({ hash }) => hash === service.hash).length
    if (share === null) weights.delete(service.hash)
    else weights.set(service.hash, canaryWeight(share, fresh, serving.length - fresh))
  }

  return {
    step: async (replicas, { ofReplica, isWellOutside }) => {
      const seenOf = (name: string): readonly SeenReplica[] =>
        replicas.filter(({ service }) => service === name).map((replica) => seenReplica(replica, ofReplica))
      const isWell = (name: string): boolean =>
        isWellOutside(name) || seenOf(name).some(({ healthy, leaving }) => healthy === true && !leaving)
      const services = parts.wished()
      for (const service of services) {
        const seen = seenOf(service.name)
        await note(service, await decide(service, seen, isWell))
        weigh(service, seen)
      }
      const groups = [
        ...services.flatMap(({ name }) => decisions.get(name)?.groups ?? []),
        ...parts.others(replicas),
      ].filter(({ replicas: wanted }) => wanted > 0)
      return isMet(groups, replicas) ? null : engine.run(groups)
    },
    withheld: () => new Set([...decisions.values()].flatMap(({ withheld }) => withheld)),
    weightOf: (hash) => weights.get(hash) ?? ordinaryWeight,
    standing: (name) => {
      const decision = decisions.get(name)
      if (decision === undefined) return unknown
      const { phase, says, memory } = decision
      const verdict = verdicts.get(name)
      const judged = verdict?.hash === memory.hash ? verdict.says : 'it was not judged'
      return { phase, says, hash: memory.hash, verdict: judged }
    },
    get isSteady() {
      return [...decisions.values()].every(({ phase }) => phase === 'steady' || phase === 'refused')
    },
  }
}

function seenReplica(replica: ReplicaStatus, healthOf: (replica: ReplicaStatus) => Health): SeenReplica {
  const { id, specHash, leaving, state, restarts } = replica
  const failed = givenUp.has(state) || (state === 'waiting' && restarts >= patientRestarts)
  return { id, hash: specHash, leaving, failed, ...healthOf(replica) }
}
