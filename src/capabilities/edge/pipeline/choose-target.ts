import { health } from '../health.ts'

/** What the choice looks at; `index` counts the targets of one upstream. */
export interface TargetLook {
  readonly count: number
  /** One of `health`. */
  healthOf(index: number): number
  /** Its share of what is new, beside the weights of the others; 0: nothing, as long as another has more. */
  weightOf(index: number): number
  /** Targets with the same number may take a request from each other. */
  groupOf(index: number): number
  /** Requests under way there, of all threads. */
  inFlightOf(index: number): number
}

/** Index of the target for a draw in [0, 1); -1 when all are ill. `not` is avoided if there is another. */
export type ChooseTarget = (draw: number, not?: number) => number

/** Who is asked, the strictest rule first: those that are well by weight, the others that are well, the avoided one ... */
const rules = [
  { state: health.well, byWeight: true, again: false },
  { state: health.well, byWeight: false, again: false },
  { state: health.well, byWeight: false, again: true },
  { state: health.unknown, byWeight: true, again: false },
  { state: health.unknown, byWeight: false, again: false },
  { state: health.unknown, byWeight: false, again: true },
] as const

/**
 * Makes the choice among the targets of an upstream. The draw alone says which group is asked, so that its share is what
 * the weights say, however fast it answers; within the group it is the target with less under way of two (power of two
 * choices, Mitzenmacher 1996), of which the second is drawn by where in the share of the first the draw fell. Draws
 * that are spread evenly give even shares. Those of unknown health are asked only when none is well. Allocates nothing.
 */
export function targetChooser(look: TargetLook): ChooseTarget {
  let avoided = -1
  let rule: (typeof rules)[number] = rules[0]

  const claimOf = (index: number): number => {
    if (look.healthOf(index) !== rule.state || (index === avoided && !rule.again)) return 0
    return rule.byWeight ? look.weightOf(index) : 1
  }

  const claims = (): number => {
    let total = 0
    for (let index = 0; index < look.count; index++) total += claimOf(index)
    return total
  }

  const isCompanion = (index: number, first: number): boolean =>
    index !== first && look.groupOf(index) === look.groupOf(first) && claimOf(index) > 0

  /** Another target of the same group, by a number in [0, 1); the same one if there is none. */
  const companionOf = (first: number, draw: number): number => {
    let count = 0
    for (let index = 0; index < look.count; index++) if (isCompanion(index, first)) count++
    let left = Math.floor(draw * count)
    for (let index = 0; index < look.count; index++)
      if (isCompanion(index, first) && left-- === 0) return index
    return first
  }

  const lighter = (one: number, other: number): number =>
    look.inFlightOf(other) * claimOf(one) < look.inFlightOf(one) * claimOf(other) ? other : one

  const pick = (place: number): number => {
    let left = place
    let last = -1
    for (let index = 0; index < look.count; index++) {
      const claim = claimOf(index)
      if (claim === 0) continue
      if (left < claim) return lighter(index, companionOf(index, left / claim))
      left -= claim
      last = index
    }
    return last
  }

  return (draw, not = -1) => {
    avoided = not
    for (rule of rules) {
      const total = claims()
      // Another thread may have found out meanwhile that they are ill.
      const chosen = total > 0 ? pick(draw * total) : -1
      if (chosen >= 0) return chosen
    }
    return -1
  }
}
