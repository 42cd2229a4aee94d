/** Wakes whoever follows a job. Holds only keys that somebody waits for. */
export interface Changes {
  /** Says that something about `key` has changed. */
  tell(key: string): void
  /** Resolves at the next change of `key`, or when the signal aborts. */
  next(key: string, signal: AbortSignal): Promise<void>
}

/** Creates an empty board of changes. */
export function createChanges(): Changes {
  const waiting = new Map<string, Set<() => void>>()
  return {
    tell: (key) => {
      const woken = waiting.get(key) ?? []
      waiting.delete(key)
      for (const wake of woken) wake()
    },
    next: (key, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const wakers = waiting.get(key) ?? new Set()
        waiting.set(key, wakers)
        const wake = (): void => {
          signal.removeEventListener('abort', wake)
          wakers.delete(wake)
          if (wakers.size === 0 && waiting.get(key) === wakers) waiting.delete(key)
          resolve()
        }
        wakers.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      }),
  }
}
