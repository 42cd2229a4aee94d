import { genesis, type Broken } from './chain.ts'
import type { Head, Verification } from './port.ts'

/** What a walk along the chain found. */
export interface Walked {
  readonly checked: number
  /** Where it began: the last removed fact, or `genesis`. */
  readonly base: Head
  /** How far the chain holds. */
  readonly head: Head
  readonly broken: Broken | null
}

/**
 * Judges a walk together with an anchor. `hashAt` is the stored hash of the anchor's fact, null when the chain has
 * none. An anchor beyond the end, or with another hash, breaks the chain: facts were cut off or rewritten.
 */
export function judge(walked: Walked, anchor: Head | undefined, hashAt: string | null): Verification {
  const { checked, base, head, broken } = walked
  const verdict = anchor === undefined ? { state: 'none' as const } : judgeAnchor(walked, anchor, hashAt)
  return {
    checked,
    head: head.sequence === 0 ? null : head,
    base: base.sequence === genesis.sequence ? null : base,
    broken: broken ?? ('broken' in verdict ? verdict.broken : null),
    anchor: verdict.state,
  }
}

type Verdict =
  { readonly state: 'held' | 'too-old' } | { readonly state: 'broken'; readonly broken: Broken | null }

function judgeAnchor({ base, head, broken }: Walked, anchor: Head, hashAt: string | null): Verdict {
  if (anchor.sequence < base.sequence) return { state: 'too-old' }
  if (broken !== null && broken.sequence <= anchor.sequence) return { state: 'broken', broken }
  if (anchor.sequence > head.sequence && broken === null) {
    const why = `the chain ends before the anchor at ${anchor.sequence}: its newest facts are gone`
    return { state: 'broken', broken: { sequence: head.sequence + 1, why } }
  }
  const known = anchor.sequence === base.sequence ? base.hash : hashAt
  if (known === anchor.hash) return { state: 'held' }
  const why = 'its hash is not the one of the anchor: this chain was rewritten or is another one'
  return { state: 'broken', broken: { sequence: anchor.sequence, why } }
}
