import { sayDuration } from '../kernel/std/index.ts'
import { saySubject } from './book.ts'
import type { By } from './port.ts'

/** What was asked of which rule. */
export interface Asked {
  readonly limit: string
  /** The rule in the notation. */
  readonly text: string
  readonly per: readonly string[]
  readonly by: By
  readonly cost: number
}

/** Says why something was refused: `email.send allows 20/hour per user; user 42 has used 20 of 20; try again in 3 min.` */
export function sayRefusal(
  asked: Asked & { readonly used: number; readonly most: number; readonly retryAfterMs: number },
): string {
  const { limit, text, used, most, retryAfterMs, cost } = asked
  const who = sayWho(asked)
  if (!Number.isFinite(retryAfterMs))
    return `${limit} allows ${text}; ${who} asked for ${cost} at once, which is never admitted.`
  return `${limit} allows ${text}; ${who} has used ${used} of ${most}${sayCost(cost)}; try again in ${sayDuration(retryAfterMs)}.`
}

/** Says what a dry run would have done. */
export function sayDryRun(asked: Asked): string {
  return `${asked.limit} would have refused ${sayWho(asked)} under ${asked.text}.`
}

function sayWho({ per, by }: Asked): string {
  return per.length === 0 ? 'everybody together' : saySubject(per, by)
}

function sayCost(cost: number): string {
  return cost === 1 ? '' : ` and asked for ${cost}`
}
