import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit } from '../../../../kernel/limit/index.ts'
import { assert, type Clock, type Random } from '../../../../kernel/std/index.ts'
import type { CounterStore, CounterStoreModule, CounterStoreOptions } from '../../ports.ts'
import { limitCapacity, type Handout, type IdentityMaterial, type SharedRefusals } from '../shared/index.ts'
import {
  createSharedCounters,
  edgeSliceMs,
  localShare,
  type SharedCounters,
  type SharedLimit,
} from '../shared-counters/index.ts'

/** The limits of a policy that several edges keep together, as a thread asks for them. */
export interface SharedLimits {
  readonly counters: SharedCounters
  /** Place among the shared limits, by index into the policy's. */
  readonly places: ReadonlyMap<number, number>
}

/** What a thread opens shared limits with. */
export interface SharedGround {
  readonly threads: number
  /** The module that opens the store; null: this process has none. */
  readonly storeModule: string | null
  readonly seed: readonly [number, number]
  readonly clock: Clock
  readonly random: Random
  /** The store was lost, or is back. */
  readonly onChange: (isUp: boolean, why: string) => void
}

type Shared = NonNullable<EdgePolicy['shared']>

/** The shared limits of a policy, in the order of its `shared.limits`. */
function sharedLimitsOf({ limits }: EdgePolicy, { limits: shared }: Shared): readonly SharedLimit[] {
  return shared.flatMap(({ limit: index, ...how }) => {
    const limit = limits[index]
    return limit === undefined ? [] : [{ name: limit.name, rule: parseLimit(limit.rule), ...how }]
  })
}

/** What policies have to agree in for their shared limits to go on as they are. */
export function sharedIdentity({ environment, limits, limiterCapacity, shared }: EdgePolicy): string {
  if (shared === undefined) return ''
  const rules = shared.limits.map(({ limit }) => limits[limit])
  return JSON.stringify([environment, shared, rules, limiterCapacity])
}

/** This edge's own part of its shared limits, for when the store is lost; all threads of the edge share it. */
export function openAlone(policy: EdgePolicy, shared: Shared, { seed, buffer }: AloneParts) {
  return createLimiter({
    limits: sharedLimitsOf(policy, shared).map(({ name, rule }) => ({
      name,
      rule: { ...localShare(rule, shared.edges), queue: null },
    })),
    capacity: policy.limiterCapacity,
    seed,
    limitCapacity,
    ...(buffer === undefined ? {} : { buffer }),
  })
}

interface AloneParts {
  readonly seed: readonly [number, number]
  readonly buffer?: SharedArrayBuffer
}

/** A thread's shared limits: they live on from policy to policy for as long as nothing of them changes. */
export class SharedKeeper {
  readonly #ground: SharedGround
  readonly #opened = new Map<string, SharedLimits>()
  /** What was counted when it was last told. */
  #told = new Map<string, number>()

  constructor(ground: SharedGround) {
    this.#ground = ground
  }

  /** Opens what a policy needs, or finds it open; null: it shares nothing. Errors: `edge.policy-refused`. */
  async open({ policy, alone, identity: material }: Handout): Promise<SharedLimits | null> {
    const { shared } = policy
    if (shared === undefined || alone === null) return null
    const identity = sharedIdentity(policy)
    const found = this.#opened.get(identity)
    if (found !== undefined) return found
    const { clock, random, threads, seed, onChange } = this.#ground
    const store = await this.#openStore({
      url: shared.url,
      password: material.counterPassword,
      environment: policy.environment,
    })
    const counters = createSharedCounters({
      limits: sharedLimitsOf(policy, shared),
      sharing: { mode: shared.mode, edges: shared.edges, threads, sliceMs: edgeSliceMs },
      store,
      alone: openAlone(policy, shared, { seed, buffer: alone }),
      clock,
      random,
      onChange,
    })
    const places = new Map(shared.limits.map(({ limit }, place) => [limit, place]))
    const opened = { counters, places }
    this.#opened.set(identity, opened)
    return opened
  }

  /** The store asks for another password from now on. */
  renew({ counterPassword }: IdentityMaterial): void {
    for (const { counters } of this.#opened.values()) counters.setPassword(counterPassword)
  }

  /** Closes all but those of the policy that is in effect now, each as soon as nothing of it is held any more. */
  keep(current: SharedLimits | null): void {
    for (const [identity, opened] of this.#opened) {
      if (opened === current) continue
      opened.counters.retire()
      this.#opened.delete(identity)
    }
  }

  /** What the store has refused since this was last asked, of what the edge's own table had admitted. */
  refusals(policy: EdgePolicy): SharedRefusals {
    const current = this.#opened.get(sharedIdentity(policy))
    const told = new Map<string, number>()
    const news = (current?.counters.counts() ?? []).flatMap(({ refused }, place) => {
      const limit = policy.limits[policy.shared?.limits[place]?.limit ?? -1]
      if (limit === undefined) return []
      const key = `${limit.name}\n${limit.rule}`
      told.set(key, refused)
      const since = Math.max(0, refused - (this.#told.get(key) ?? 0))
      return since === 0 ? [] : [{ ...limit, refused: since }]
    })
    this.#told = told
    return news
  }

  async #openStore(whose: Omit<CounterStoreOptions, 'clock' | 'random'>): Promise<CounterStore> {
    const { storeModule, clock, random } = this.#ground
    assert(storeModule !== null, 'this edge was started without a store for shared counters')
    const { openCounterStore } = (await import(storeModule)) as CounterStoreModule
    return openCounterStore({ ...whose, clock, random })
  }
}
