import type { RolloutPhase } from '../../../contracts/environment.ts'
import type { Group } from '../ports.ts'
import type { Wish } from '../wish/index.ts'
import type { Verdict } from './judge.ts'

/** A replica as a rollout looks at it. */
export interface SeenReplica {
  readonly id: string
  /** The group that it is of. */
  readonly hash: string
  /** It is being stopped for good. */
  readonly leaving: boolean
  /** Null: not known yet. */
  readonly healthy: boolean | null
  /** It crashed more than once, cannot be started, or listens beyond loopback. */
  readonly failed: boolean
  /** Why it is not healthy, in words. */
  readonly detail: string
  /** The edge may send to it. */
  readonly isSentTo: boolean
}

/** What a rollout remembers from look to look, monotonic milliseconds. All of it may be lost at any time. */
export interface RolloutMemory {
  /** The group that is moved to; another one begins anew. */
  readonly hash: string
  /** When each new replica was last well, or first seen. */
  readonly lastWell: ReadonlyMap<string, number>
  /** Since when replicas get no requests any more, as far as is known. */
  readonly withheld: ReadonlyMap<string, number>
  /** Since when the canaries are judged; null: not yet. */
  readonly judgedSince: number | null
  readonly judged: boolean
  /** All of the group have been well at once; what happens to one after that is no rollout. */
  readonly settled: boolean
}

/** What a rollout decides from. */
export interface RolloutScene {
  readonly service: Wish
  readonly seen: readonly SeenReplica[]
  /** What it needs and what is not well yet, as they are called. */
  readonly missing: readonly string[]
  readonly memory: RolloutMemory | null
  /** What came of judging the canaries so far. */
  readonly verdict: Verdict
  /** Why the group that is wished was given up; null: it was not. */
  readonly refused: string | null
  /** Whether the engine lets us choose which replica goes. */
  readonly choosesReplica: boolean
  readonly nowMs: number
}

/** What is to be done about one service now. */
export interface RolloutDecision {
  readonly groups: readonly Group[]
  /** Ids of replicas that the edge shall not send to. */
  readonly withheld: readonly string[]
  readonly phase: RolloutPhase
  /** Where it stands, in words; empty when steady. */
  readonly says: string
  /** Share of the requests that the new group shall get while it is judged; null: as many as any other. */
  readonly share: number | null
  /** Why the new group is to be given up; null: it is not. */
  readonly failure: string | null
  readonly memory: RolloutMemory
}

type Step = Pick<RolloutDecision, 'groups' | 'withheld' | 'phase' | 'says' | 'share'>

const slotOf = ({ id }: SeenReplica): number => Number(/\d+$/.exec(id)?.[0] ?? 0)

/** What a look shows: the new group, the old ones, and who is on the way out. */
interface Sides {
  readonly fresh: readonly SeenReplica[]
  readonly well: number
  readonly old: readonly SeenReplica[]
  readonly going: number
}

function sidesOf({ service, seen }: RolloutScene): Sides {
  const here = seen.filter(({ leaving }) => !leaving)
  const fresh = here.filter(({ hash }) => hash === service.hash)
  return {
    fresh,
    well: fresh.filter(({ healthy }) => healthy === true).length,
    old: here.filter(({ hash }) => hash !== service.hash),
    going: seen.length - here.length,
  }
}

/** Nothing is remembered of a group that has just been wished. */
const nothingOf = (hash: string): RolloutMemory => ({
  hash,
  lastWell: new Map(),
  withheld: new Map(),
  judgedSince: null,
  judged: false,
  settled: false,
})

function remember({ service, memory, nowMs }: RolloutScene, { fresh, well }: Sides): RolloutMemory {
  const before = memory?.hash === service.hash ? memory : nothingOf(service.hash)
  const lastWell = new Map(
    fresh.map(({ id, healthy }) => [id, healthy === true ? nowMs : (before.lastWell.get(id) ?? nowMs)]),
  )
  const settled = well >= service.replicas || (before.settled && fresh.length >= service.replicas)
  return { ...before, lastWell, settled }
}

function failureOf(scene: RolloutScene, { fresh }: Sides, memory: RolloutMemory): string | null {
  const { service, verdict, nowMs } = scene
  if (verdict.kind === 'worse') return verdict.because
  const given = fresh.find(({ failed }) => failed)
  if (given !== undefined) return `${given.id}: ${given.detail}`
  const late = fresh.find(({ id }) => nowMs - (memory.lastWell.get(id) ?? nowMs) > service.startTimeoutMs)
  if (late === undefined) return null
  return `${late.id} was not healthy within ${Math.round(service.startTimeoutMs / 1000)} s: ${late.detail}`
}

/** Old groups as they run, less who is to go. */
function oldGroups(
  service: string,
  old: readonly SeenReplica[],
  gone: ReadonlySet<string>,
): readonly Group[] {
  const hashes = [...new Set(old.map(({ hash }) => hash))]
  return hashes.map((hash) => {
    const members = old.filter((replica) => replica.hash === hash)
    const leaving = members.filter(({ id }) => gone.has(id)).map(({ id }) => id)
    return { service, hash, specification: null, replicas: members.length - leaving.length, leaving }
  })
}

function newGroup({ name, hash, specification }: Wish, replicas: number, leaving: readonly string[]): Group {
  return { service: name, hash, specification, replicas, leaving }
}

/** Nothing is there yet and something that it needs is not well: it waits. */
function waits({ missing }: RolloutScene, { fresh, old }: Sides): boolean {
  return missing.length > 0 && fresh.length + old.length === 0
}

/** The group was given up: the old one goes on as it is, and the new one stops when nothing is sent to it any more. */
function refusal(scene: RolloutScene, sides: Sides, why: string): Step {
  const { service } = scene
  const { fresh, old } = sides
  const isServing = fresh.some(({ healthy, isSentTo }) => healthy === true && isSentTo)
  const kept = isServing ? [newGroup(service, fresh.length, [])] : []
  return {
    groups: [...kept, ...oldGroups(service.name, old, new Set())],
    withheld: fresh.map(({ id }) => id),
    phase: 'refused',
    says: `${service.name} goes on as it was: ${why}`,
    share: null,
  }
}

/** Stop first, start then: for what cannot be there twice. */
function inPlace({ service }: RolloutScene, { fresh, old, going }: Sides, { settled }: RolloutMemory): Step {
  const isClear = old.length === 0 && (going === 0 || fresh.length > 0)
  const steady = isClear && settled
  return {
    groups: isClear ? [newGroup(service, service.replicas, [])] : [],
    withheld: [],
    phase: steady ? 'steady' : 'moving',
    says: steady ? '' : `${service.name} is replaced in place`,
    share: null,
  }
}

/** Who gives way, those that are ill and the newest first. */
function surplus(replicas: readonly SeenReplica[], count: number): readonly SeenReplica[] {
  const rank = ({ healthy }: SeenReplica): number => (healthy === true ? 1 : 0)
  return replicas.toSorted((a, b) => rank(a) - rank(b) || slotOf(b) - slotOf(a)).slice(0, Math.max(0, count))
}

/** How many of the old are still needed, and how many new ones there may be. */
function countsOf(
  scene: RolloutScene,
  sides: Sides,
  isJudging: boolean,
): { keepOld: number; wantNew: number } {
  const { service, choosesReplica } = scene
  const { replicas, rollout } = service
  const { fresh, old, well, going } = sides
  if (isJudging) return { keepOld: old.length, wantNew: Math.min(replicas, rollout.canaries) }
  const needed = choosesReplica ? replicas - well : old.length
  const keepOld = well >= replicas ? 0 : Math.min(old.length, Math.max(0, needed))
  // Who cannot choose which of the old go has to have all of the new first.
  const isFree = !choosesReplica || old.length + going === 0
  const room = isFree ? replicas : replicas + rollout.surge - old.length - going
  return { keepOld, wantNew: Math.min(replicas, Math.max(fresh.length, room)) }
}

/** One step of the way from the old groups to the new one. */
function move(
  scene: RolloutScene,
  sides: Sides,
  memory: RolloutMemory,
): Step & Pick<RolloutDecision, 'memory'> {
  const { service, nowMs } = scene
  const { fresh, old, well, going } = sides
  const isJudging = old.length > 0 && !memory.judged
  const { keepOld, wantNew } = countsOf(scene, sides, isJudging)
  const leaving = [...surplus(old, old.length - keepOld), ...surplus(fresh, fresh.length - service.replicas)]
  const withheld = new Map(
    leaving.map(({ id, isSentTo }) => [id, isSentTo ? nowMs : (memory.withheld.get(id) ?? nowMs)]),
  )
  const drainMs = service.listens ? service.rollout.drainMs : 0
  const drainedMs = ({ id }: SeenReplica): number => nowMs - (withheld.get(id) ?? nowMs)
  const gone = new Set(
    leaving
      .filter((replica) => replica.healthy !== true || (!replica.isSentTo && drainedMs(replica) >= drainMs))
      .map(({ id }) => id),
  )
  const goneNew = fresh.filter(({ id }) => gone.has(id)).map(({ id }) => id)
  const keepNew = fresh.length > service.replicas ? fresh.length - goneNew.length : wantNew
  const unproven = old.length === 0 ? [] : fresh.filter(({ healthy }) => healthy !== true).map(({ id }) => id)
  return {
    groups: [newGroup(service, keepNew, goneNew), ...oldGroups(service.name, old, gone)],
    withheld: [...withheld.keys(), ...unproven],
    share: isJudging ? service.rollout.share : null,
    ...phaseOf({
      service,
      isJudging,
      well,
      rest: old.length + going + Math.max(0, fresh.length - service.replicas),
      settled: memory.settled,
    }),
    memory: { ...memory, withheld },
  }
}

interface Progress {
  readonly service: Wish
  readonly isJudging: boolean
  readonly well: number
  readonly settled: boolean
  /** Replicas that are still to go. */
  readonly rest: number
}

function phaseOf({
  service,
  isJudging,
  well,
  settled,
  rest,
}: Progress): Pick<RolloutDecision, 'phase' | 'says'> {
  const { name, replicas, rollout } = service
  const canaries = Math.min(replicas, rollout.canaries)
  if (isJudging && well >= canaries)
    return { phase: 'judging', says: `${name}: ${canaries} new beside the old, being judged` }
  if (isJudging)
    return { phase: 'starting', says: `${name}: ${well} of ${canaries} new replicas are healthy` }
  if (rest > 0)
    return {
      phase: 'moving',
      says: `${name}: ${well} of ${replicas} new replicas serve, ${rest} old ones are to go`,
    }
  if (!settled) return { phase: 'starting', says: `${name}: ${well} of ${replicas} replicas are healthy` }
  return { phase: 'steady', says: '' }
}

/** Whether the canaries have been judged: by the verdict, or because more than canaries were let in before control died. */
function judgeAgain(scene: RolloutScene, sides: Sides, memory: RolloutMemory): RolloutMemory {
  const { service, verdict, nowMs } = scene
  const canaries = Math.min(service.replicas, service.rollout.canaries)
  const isProven = sides.old.length === 0 || sides.fresh.length > canaries || verdict.kind === 'good'
  const judgedSince = memory.judgedSince ?? (sides.well >= canaries && sides.old.length > 0 ? nowMs : null)
  const skips = service.rollout.judgeForMs === 0 && sides.well >= canaries
  return { ...memory, judgedSince, judged: memory.judged || isProven || skips }
}

/**
 * Says the next step of moving a service to the group that is wished, from what is seen and nothing else: whatever was
 * interrupted goes on. At no time are fewer healthy replicas left than are wished, if there were as many; at most `surge`
 * are there beyond them.
 */
export function decideRollout(scene: RolloutScene): RolloutDecision {
  const sides = sidesOf(scene)
  const memory = judgeAgain(scene, sides, remember(scene, sides))
  const { service, refused } = scene
  if (waits(scene, sides)) {
    const says = `${service.name} waits for ${scene.missing.join(' and ')}`
    return { groups: [], withheld: [], phase: 'waiting', says, share: null, failure: null, memory }
  }
  if (refused !== null && sides.old.length > 0)
    return { ...refusal(scene, sides, refused), failure: null, memory }
  const mayFail = sides.old.length > 0 || service.pending
  const failure = mayFail ? failureOf(scene, sides, memory) : null
  if (failure !== null) return { ...refusal(scene, sides, failure), failure, memory }
  if (service.rollout.inPlace) return { ...inPlace(scene, sides, memory), failure: null, memory }
  return { ...move(scene, sides, memory), failure: null }
}
