import type { Life } from './life.ts'

/** When control dies: at an effect, before it happens or before its answer is seen. */
export interface Kill {
  /** The n-th effect that is counted, 1 is the first, or a later one. */
  readonly at: number
  /** What its name contains; absent: anything. */
  readonly name?: string
  readonly when: 'before' | 'after'
}

/**
 * Everything that control does to the world outside itself passes here, so that it can be counted, and control be killed at
 * any of it.
 */
export interface Effects {
  /** Names of those since `count`, in order; none before it. */
  readonly passed: readonly string[]
  pass<T>(life: Life, name: string, act: () => T | Promise<T>): Promise<T>
  /** Counts from now on, and kills as is wanted, one after the other; `end` says whether it was who acts that died. */
  count(kills: readonly Kill[], end: () => boolean): void
}

/** Creates effects that nothing befalls. */
export function createEffects(): Effects {
  const state: { passed: string[] | null; kills: readonly Kill[]; end: () => boolean } = {
    passed: null,
    kills: [],
    end: () => false,
  }
  const dies = (life: Life, when: Kill['when'], number: number | undefined): boolean => {
    const [next, ...later] = state.kills
    if (!life.alive || next === undefined || number === undefined) return false
    const isNamed = next.name === undefined || (state.passed?.[number - 1] ?? '').includes(next.name)
    if (next.when !== when || number < next.at || !isNamed) return false
    state.kills = later
    return state.end()
  }
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined)
  return {
    get passed() {
      return state.passed ?? []
    },
    pass: async (life, name, act) => {
      if (!life.alive) return never()
      const number = state.passed?.push(name)
      if (dies(life, 'before', number)) return never()
      const value = await act()
      return dies(life, 'after', number) ? never() : value
    },
    count: (kills, end) => {
      state.passed = []
      state.kills = kills
      state.end = end
    },
  }
}
