/** Lets a few in at a time. */
export interface Gate {
  /** Runs the work when there is room; the rest wait in order. */
  pass<Result>(work: () => Promise<Result>): Promise<Result>
}

/** Creates a gate for `width` at once. The queue is as long as there are callers: one per replica. */
export function createGate(width: number): Gate {
  let inside = 0
  const waiting: (() => void)[] = []
  return {
    pass: async (work) => {
      if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve))
      else inside++
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) inside--
        else next()
      }
    },
  }
}
