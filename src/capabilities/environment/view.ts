import type { Fold } from '../../kernel/timeline/index.ts'

/** What the timeline says about how far we have followed the supervisor. */
export interface EnvironmentView {
  /** Number of the last event of the supervisor that became a fact; 0: none. */
  readonly lastEvent: number
  readonly [key: string]: number
}

/** Fold: timeline -> what we know. */
export const environmentFold: Fold<EnvironmentView> = {
  name: 'environment@1',
  initial: { lastEvent: 0 },
  step: (state, fact) => {
    const event = fact.kind.startsWith('environment.') ? fact.data?.['event'] : undefined
    return typeof event === 'number' && event > state.lastEvent ? { lastEvent: event } : state
  },
}
