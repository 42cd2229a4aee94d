import type { Fact, Fold } from '../../kernel/timeline/index.ts'
import type { Said } from './transitions.ts'

/** What the timeline says about the environment. */
export interface EnvironmentView {
  /**
   * Number of the last event of the supervisor that became a fact; 0: none. Not the highest: a supervisor that lost its
   * events counts from 1 again.
   */
  readonly lastEvent: number
  /** What was last said about each service since the environment was started. */
  readonly said: Readonly<Record<string, Said>>
  readonly [key: string]: number | Readonly<Record<string, Said>>
}

const saying: Readonly<Record<string, Said>> = {
  'environment.service-healthy': 'healthy',
  'environment.service-unhealthy': 'unhealthy',
}

function saidAfter(said: EnvironmentView['said'], fact: Fact): EnvironmentView['said'] {
  if (fact.kind === 'environment.started') return {}
  const now = saying[fact.kind]
  const service = fact.data?.['service']
  return now === undefined || typeof service !== 'string' ? said : { ...said, [service]: now }
}

/** Fold: timeline -> what we know. */
export const environmentFold: Fold<EnvironmentView> = {
  name: 'environment@1',
  initial: { lastEvent: 0, said: {} },
  step: (state, fact) => {
    if (!fact.kind.startsWith('environment.')) return state
    const event = fact.data?.['event']
    return {
      lastEvent: typeof event === 'number' ? event : state.lastEvent,
      said: saidAfter(state.said, fact),
    }
  },
}
