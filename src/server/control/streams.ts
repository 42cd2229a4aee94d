import type { Refusal, Visitor } from './stages/index.ts'

const perCaller = 32
const altogether = 256

/** Bounds how many streams are open: 32 for one caller, 256 altogether. */
export function createStreamPlaces(): (visitor: Visitor) => (() => void) | Refusal {
  const open = new Map<string, number>()
  let total = 0
  return ({ caller }) => {
    const mine = open.get(caller.actor) ?? 0
    if (mine >= perCaller || total >= altogether) {
      const rule = mine >= perCaller ? `${perCaller} at once per caller` : `${altogether} at once`
      return { limit: 'control.streams', rule, retryAfterMs: 1000 }
    }
    open.set(caller.actor, mine + 1)
    total++
    let left = false
    return () => {
      if (left) return
      left = true
      total--
      const rest = (open.get(caller.actor) ?? 1) - 1
      if (rest === 0) open.delete(caller.actor)
      else open.set(caller.actor, rest)
    }
  }
}
