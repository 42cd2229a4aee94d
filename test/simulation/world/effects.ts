import type { Life } from './life.ts'

/** When control dies: at the n-th effect from now on (1: the next), before it happens or before its answer is seen. */
export interface Kill {
  readonly at: number
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
  /** Counts from now on, and kills once if that is wanted. */
  count(kill: Kill | null, end: () => void): void
}

/** Creates effects that nothing befalls. */
export function createEffects(): Effects {
  const state: { passed: string[] | null; kill: Kill | null; end: () => void } = {
    passed: null,
    kill: null,
    end: () => undefined,
  }
  const dies = (life: Life, when: Kill['when'], number: number | undefined): boolean => {
    const { kill } = state
    if (!life.alive || kill === null || kill.when !== when || kill.at !== number) return false
    state.kill = null
    state.end()
    return true
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
    count: (kill, end) => {
      state.passed = []
      state.kill = kill
      state.end = end
    },
  }
}
