import { targetChooser, type ChooseTarget, type TargetLook } from '../../pipeline/index.ts'
import {
  groupSlot,
  planSlots,
  type Counters,
  type GroupKey,
  type Handout,
  type TargetBoard,
} from '../shared/index.ts'
import type { Origins } from './origins.ts'
import { Target } from './target.ts'

/** A service with its targets. */
export class Upstream implements TargetLook {
  readonly name: string
  readonly #targets: readonly Target[]
  readonly #board: TargetBoard
  readonly #choose: ChooseTarget

  constructor(name: string, targets: readonly Target[], board: TargetBoard) {
    this.name = name
    this.#targets = targets
    this.#board = board
    this.#choose = targetChooser(this)
  }

  /** The target for the next request, any other than the last one if possible; undefined: all are ill. */
  choose(last: Target | null): Target | undefined {
    const [first] = this.#targets
    if (first === undefined) return undefined
    const not = last === null ? -1 : this.#targets.findIndex(({ slot }) => slot === last.slot)
    return this.#targets[this.#choose(this.#board.draw(first.slot), not)]
  }

  get count(): number {
    return this.#targets.length
  }

  healthOf(index: number): number {
    return this.#targets[index]?.health ?? -1
  }

  weightOf(index: number): number {
    return this.#targets[index]?.weight ?? 0
  }

  groupOf(index: number): number {
    return this.#targets[index]?.groupSlot ?? -1
  }

  inFlightOf(index: number): number {
    return this.#targets[index]?.inFlight ?? 0
  }
}

/** The upstreams of a policy. */
export interface Upstreams {
  /** One without targets where the policy names none. */
  get(name: string): Upstream
}

/** What upstreams are made ready with. */
export interface UpstreamGround {
  readonly origins: Origins
  readonly board: TargetBoard
  readonly counters: Counters
}

/** Makes the upstreams of a policy ready. */
export function prepareUpstreams({ policy, slots }: Handout, ground: UpstreamGround): Upstreams {
  const { origins, board, counters } = ground
  const plan = planSlots(policy)
  const slotOf = (key: GroupKey): number => groupSlot(plan, key)
  const book = new Map(
    policy.upstreams.map(({ name, targets }, upstream) => {
      const ready = targets.map(({ origin, group, weight }, target) => {
        const slot = slots[upstream]?.[target] ?? 0
        const groupSlot = slotOf({ upstream: name, group })
        return new Target({ origin: origins.get(origin), slot, groupSlot, weight, board, counters })
      })
      return [name, new Upstream(name, ready, board)] as const
    }),
  )
  return { get: (name) => book.get(name) ?? new Upstream(name, [], board) }
}
