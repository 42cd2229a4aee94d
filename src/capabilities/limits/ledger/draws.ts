import { assert } from '../../../kernel/std/index.ts'
import type { Part } from './command.ts'
import type { Charge, Draw } from './meter.ts'

/** What a take asks for. */
export type Ask = Pick<Part, 'limit' | 'by' | 'override' | 'cost'>

/** An ask with its accounts. */
export interface AskedDraw extends Draw {
  readonly ask: Ask
}

/** A rule of a limit, in the notation. */
export interface RuleOfLimit {
  readonly limit: string
  readonly rule: string
}

/**
 * Whose account it is, under the rule of that number in the limiter: of several the first that fits, else the first. When
 * no rule of theirs decided, the first of all.
 */
export function drawOf(
  draws: readonly AskedDraw[],
  index: number,
  fits: (charge: Charge, cost: number) => boolean = () => true,
): AskedDraw {
  const isOfRule = (charge: Charge): boolean => charge.index === index
  const under = draws.filter(({ charges }) => charges.some(isOfRule))
  const fitting = under.find(({ charges, cost }) =>
    charges.some((charge) => isOfRule(charge) && fits(charge, cost)),
  )
  const found = fitting ?? under[0] ?? draws[0]
  assert(found !== undefined, 'a take asks for something')
  return found
}

/** The rule of that number in the limiter. */
export function ruleOf(draws: readonly AskedDraw[], index: number): RuleOfLimit {
  const { ask, charges } = drawOf(draws, index)
  return { limit: ask.limit, rule: charges.find((charge) => charge.index === index)?.text ?? '' }
}
