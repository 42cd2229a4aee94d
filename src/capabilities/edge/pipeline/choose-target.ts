import { health } from '../health.ts'

/** What the choice looks at; `index` counts the targets of one upstream. */
export interface TargetLook {
  readonly count: number
  /** One of `health`. */
  healthOf(index: number): number
  /** Requests under way there, of all threads. */
  inFlightOf(index: number): number
  /** A float in [0, 1). */
  random(): number
}

/**
 * The target with fewer requests under way of two random ones among those that are well (power of two choices,
 * Mitzenmacher 1996); those of unknown health only when none is well. `not` is avoided if there is another.
 * Returns -1 when all are ill.
 */
export function chooseTarget(look: TargetLook, not = -1): number {
  const fit = candidates(look, health.well)
  const usable = fit.length > 0 ? fit : candidates(look, health.unknown)
  const others = usable.length > 1 ? usable.filter((index) => index !== not) : usable
  if (others.length <= 1) return others[0] ?? -1
  const first = Math.floor(look.random() * others.length)
  const second = (first + 1 + Math.floor(look.random() * (others.length - 1))) % others.length
  const [one, other] = [others[first] ?? -1, others[second] ?? -1]
  return look.inFlightOf(other) < look.inFlightOf(one) ? other : one
}

function candidates(look: TargetLook, wanted: number): number[] {
  const found: number[] = []
  for (let index = 0; index < look.count; index++) if (look.healthOf(index) === wanted) found.push(index)
  return found
}
