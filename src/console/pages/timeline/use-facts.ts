import { useCallback, useEffect, useRef, useState } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { useFollow, type FollowState } from '../../data/follow.ts'
import { useHouse } from '../../data/house.ts'
import type { Fact } from '../../parts/facts.tsx'

/** What of the timeline is shown; empty texts do not narrow. */
export interface Filters {
  /** A kind, or a room as `environment.*`. */
  readonly kind: string
  readonly subject: string
  readonly severity: string
  readonly correlation: string
  /** Only facts of the last so many milliseconds; empty: all. */
  readonly within: string
}

/** The facts that are held, oldest first, and the ways to more. */
export interface Facts {
  readonly facts: readonly Fact[]
  readonly state: FollowState
  readonly loaded: boolean
  /** Null: the beginning is reached. */
  readonly loadOlder: (() => void) | null
}

const pageSize = 100
const mostFacts = 5000

type Read = Operations['timeline.read']['input']

function asInput(filters: Filters, now: number): Omit<Read, 'limit'> {
  const { kind, subject, severity, correlation, within } = filters
  return {
    ...(kind !== '' && { kind }),
    ...(subject !== '' && { subject }),
    ...(severity !== '' && { severity: severity as NonNullable<Read['severity']> }),
    ...(correlation !== '' && { correlation }),
    ...(within !== '' && { since: Math.floor(now - Number(within)) }),
  }
}

/** Joins facts by their number, so that none is held twice whatever way it came. */
export function joinFacts(held: readonly Fact[], added: readonly Fact[]): readonly Fact[] {
  const bySequence = new Map([...held, ...added].map((fact) => [fact.sequence, fact]))
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence).slice(-mostFacts)
}

/** Reads the end of the timeline, follows it, and reads older pages on demand. */
export function useFacts(filters: Filters): Facts {
  const { client, now } = useHouse()
  const key = JSON.stringify(filters)
  const [facts, setFacts] = useState<readonly Fact[]>([])
  const [phase, setPhase] = useState({ key: '', more: false, error: undefined as unknown })
  const last = useRef<{ key: string; sequence: number }>({ key: '', sequence: 0 })
  const loaded = phase.key === key

  const remember = useCallback(
    (added: readonly Fact[]): void => {
      const sequence = added.reduce((most, fact) => Math.max(most, fact.sequence), last.current.sequence)
      last.current = { key, sequence }
      setFacts((held) => joinFacts(held, added))
    },
    [key],
  )

  useEffect(() => {
    const abort = new AbortController()
    setFacts([])
    last.current = { key: '', sequence: 0 }
    client.call('timeline.read', { ...asInput(filters, now()), limit: pageSize }, abort.signal).then(
      (answer) => {
        remember(answer.facts)
        setPhase({ key, more: answer.facts.length === pageSize, error: undefined })
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setPhase({ key, more: false, error })
      },
    )
    return () => abort.abort()
  }, [client, key, remember])

  const state = useFollow({
    name: 'timeline.follow',
    key: `${key} ${loaded}`,
    input: () => {
      if (!loaded || phase.error !== undefined) return null
      const { since: _, ...input } = asInput(filters, now())
      return { ...input, after: last.current.sequence }
    },
    onItems: remember,
  })

  const oldest = facts[0]?.sequence
  const loadOlder = useCallback(() => {
    if (oldest === undefined) return
    const input = { ...asInput(filters, now()), before: oldest, limit: pageSize }
    client.call('timeline.read', input).then(
      (answer) => {
        setFacts((held) => joinFacts(held, answer.facts))
        setPhase((phase) => ({ ...phase, more: answer.facts.length === pageSize }))
      },
      (error: unknown) => setPhase((phase) => ({ ...phase, error })),
    )
  }, [client, key, oldest])

  const more = loaded && phase.more && facts.length < mostFacts
  return {
    facts,
    loaded,
    state: phase.error === undefined ? state : { open: false, error: phase.error },
    loadOlder: more ? loadOlder : null,
  }
}
