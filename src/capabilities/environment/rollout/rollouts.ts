import { environmentFacts, type Judging, type RolloutPhase } from '../../../contracts/environment.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import type { Engine, Group } from '../ports.ts'
import type { Wish } from '../wish/index.ts'
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
  readonly ofReplica: (replica: ReplicaStatus) => Health
  /** Whether the edge may send to a replica. */
  readonly isSentTo: (replicaId: string) => boolean
  /** Whether something that others run is well; false of what we run. */
  readonly isWellOutside: (name: string) => boolean
}

/** What rollouts stand on. */
export interface RolloutParts {
  readonly context: Pick<Context, 'clock' | 'series' | 'record' | 'log'>
  readonly engine: Pick<Engine, 'choosesReplica' | 'run'>
  /** What every service is to be, now. */
  readonly wished: () => readonly Wish[]
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
  /** What it is judged by just now. */
  readonly judging?: Judging
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
  return new RolloutBook(parts)
}

class RolloutBook implements Rollouts {
  readonly #parts: RolloutParts
  readonly #decisions = new Map<string, RolloutDecision>()
  readonly #weights = new Map<string, number>()
  /** What was said of the group that was judged last, by service. */
  readonly #verdicts = new Map<string, { readonly hash: string; readonly says: string }>()
  readonly #judging = new Map<string, Judging>()

  constructor(parts: RolloutParts) {
    this.#parts = parts
  }

  async step(replicas: readonly ReplicaStatus[], wellness: Wellness): Promise<SupervisorStatus | null> {
    const { isWellOutside } = wellness
    const seenOf = (name: string): readonly SeenReplica[] =>
      replicas.filter(({ service }) => service === name).map((replica) => seenReplica(replica, wellness))
    const isWell = (name: string): boolean =>
      isWellOutside(name) || seenOf(name).some(({ healthy, leaving }) => healthy === true && !leaving)
    const wishes = this.#parts.wished()
    for (const wish of wishes) {
      const seen = seenOf(wish.name)
      await this.#note(wish, await this.#decide(wish, seen, isWell))
      this.#weigh(wish, seen)
    }
    const groups = [
      ...wishes.flatMap(({ name }) => this.#decisions.get(name)?.groups ?? []),
      ...this.#parts.others(replicas),
    ].filter((group) => group.replicas > 0)
    return isMet(groups, replicas) ? null : this.#parts.engine.run(groups)
  }

  withheld(): ReadonlySet<string> {
    return new Set([...this.#decisions.values()].flatMap(({ withheld }) => withheld))
  }

  weightOf(hash: string): number {
    return this.#weights.get(hash) ?? ordinaryWeight
  }

  standing(service: string): Standing {
    const decision = this.#decisions.get(service)
    if (decision === undefined) return unknown
    const { phase, says, memory } = decision
    const verdict = this.#verdicts.get(service)
    const judged = verdict?.hash === memory.hash ? verdict.says : 'it was not judged'
    const judging = phase === 'judging' ? this.#judging.get(service) : undefined
    return { phase, says, hash: memory.hash, verdict: judged, ...(judging && { judging }) }
  }

  get isSteady(): boolean {
    return [...this.#decisions.values()].every(({ phase }) => phase === 'steady' || phase === 'refused')
  }

  async #verdict(wish: Wish, memory: RolloutMemory | null): Promise<Verdict> {
    const { clock, series } = this.#parts.context
    const since = memory?.hash === wish.hash && !memory.judged ? memory.judgedSince : null
    if (since === null) {
      this.#judging.delete(wish.name)
      return { kind: 'pending' }
    }
    const judgedForMs = clock.monotonicMs() - since
    const to = clock.now()
    const measured = { service: wish.name, fresh: wish.hash, from: to - judgedForMs, to }
    const sides = await measureSides(series, measured)
    const { judgeForMs, errorMargin, p95Factor } = wish.rollout
    const rule = { forMs: judgeForMs, errorMargin, p95Factor }
    this.#judging.set(wish.name, { ...sides, sinceMs: judgedForMs, ...rule })
    const verdict = judge(sides, wish.rollout, judgedForMs)
    if (verdict.kind === 'good') this.#verdicts.set(wish.name, { hash: wish.hash, says: verdict.says })
    return verdict
  }

  async #decide(
    wish: Wish,
    seen: readonly SeenReplica[],
    isWell: (name: string) => boolean,
  ): Promise<RolloutDecision> {
    const { engine, context, refused } = this.#parts
    const memory = this.#decisions.get(wish.name)?.memory ?? null
    return decideRollout({
      service: wish,
      seen,
      memory,
      missing: wish.needs.filter((name) => !isWell(name)),
      verdict: await this.#verdict(wish, memory),
      refused: refused(wish.name, wish.hash),
      choosesReplica: engine.choosesReplica,
      nowMs: context.clock.monotonicMs(),
    })
  }

  async #note({ name, hash, specification, replicas }: Wish, decision: RolloutDecision): Promise<void> {
    const before = this.#decisions.get(name)
    this.#decisions.set(name, decision)
    const data = { service: name, release: specification.release, group: hash }
    const extras = { subject: `service:${name}` }
    if (decision.failure !== null) {
      const because = decision.failure
      await this.#parts.context.record(environmentFacts.rolloutRefused, { ...data, because }, extras)
    }
    const wasMoving = before !== undefined && ['judging', 'moving'].includes(before.phase)
    if (wasMoving && decision.phase === 'steady') {
      await this.#parts.context.record(environmentFacts.rolledOut, { ...data, replicas }, extras)
    }
  }

  #weigh({ name, hash }: Wish, seen: readonly SeenReplica[]): void {
    const { share = null, withheld = [] } = this.#decisions.get(name) ?? {}
    const serving = seen.filter(({ id, leaving }) => !leaving && !withheld.includes(id))
    const fresh = serving.filter((replica) => replica.hash === hash).length
    if (share === null) this.#weights.delete(hash)
    else this.#weights.set(hash, canaryWeight(share, fresh, serving.length - fresh))
  }
}

function seenReplica(replica: ReplicaStatus, { ofReplica, isSentTo }: Wellness): SeenReplica {
  const { id, specHash, leaving, state, restarts } = replica
  const failed = givenUp.has(state) || (state === 'waiting' && restarts >= patientRestarts)
  return { id, hash: specHash, leaving, failed, isSentTo: isSentTo(id), ...ofReplica(replica) }
}
