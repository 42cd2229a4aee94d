import { seededRandom, type Random } from '../../../src/kernel/std/index.ts'

/** Everything random of one simulation, from one seed. */
export interface Chance {
  readonly random: Random
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number
  /** True once in `times`, on average. */
  oneIn(times: number): boolean
  pick<T>(choices: readonly T[]): T
}

/** Creates chance from a seed. */
export function createChance(seed: number): Chance {
  const random = seededRandom(seed)
  const between = (least: number, most: number): number =>
    least + Math.floor(random.next() * (most - least + 1))
  return {
    random,
    between,
    oneIn: (times) => random.next() < 1 / times,
    pick: <T>(choices: readonly T[]): T => choices[between(0, choices.length - 1)] as T,
  }
}
