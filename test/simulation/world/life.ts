import type { MortalClock, WorldClock } from './clock.ts'

/**
 * One process that may be killed at any instant. What it awaits when it dies is never answered, and what it asks for
 * afterwards never happens: that is all that the world sees of `kill -9`.
 */
export interface Life {
  readonly clock: MortalClock
  readonly alive: boolean
  /** Passes an answer on to the living only. */
  guard<T>(act: () => Promise<T>): Promise<T>
  /** Called at the end. */
  onEnd(act: () => void): void
  end(): void
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** Begins a life. */
export function beginLife(worldClock: WorldClock): Life {
  const clock = worldClock.mortal()
  const endings: (() => void)[] = []
  let alive = true
  return {
    clock,
    get alive() {
      return alive
    },
    guard: async (act) => {
      if (!alive) return never()
      try {
        const value = await act()
        return alive ? value : await never()
      } catch (error) {
        if (alive) throw error
        return never()
      }
    },
    onEnd: (act) => void endings.push(act),
    end: () => {
      alive = false
      clock.end()
      for (const act of endings.splice(0)) act()
    },
  }
}
