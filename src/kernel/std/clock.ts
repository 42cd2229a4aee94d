/** Time as a port, so that a simulation can own it. */
export interface Clock {
  /** Wall-clock time: milliseconds since 1970-01-01T00:00Z. May jump. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes back. Fractions allowed. */
  monotonicMs(): number
  /** Resolves after `delayMs` (>= 0); rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Calls `tick` every `periodMs` until the returned function is called. Does not keep the process alive. */
  every(periodMs: number, tick: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason as Error)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, delayMs)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  every: (periodMs, tick) => {
    const timer = setInterval(tick, periodMs)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/**
 * Time that begins as the wall clock's, or at `notBeforeMs` if that is later, and from then on goes at the pace of the
 * monotonic one: whole milliseconds since 1970 that no setting of the clock moves, back or ahead. For whatever counts time
 * as a budget.
 */
export function steadyTime(clock: Clock, notBeforeMs = 0): () => number {
  const originMs = Math.max(clock.now(), notBeforeMs) - clock.monotonicMs()
  return () => Math.floor(originMs + clock.monotonicMs())
}

/** A clock that stands still until it is advanced; timers fire in order of their time. */
export interface VirtualClock extends Clock {
  /** Moves time on, firing what falls due and letting promises settle in between. */
  advance(byMs: number): Promise<void>
  /** Moves wall-clock time only, as an operator or NTP does. */
  jump(byMs: number): void
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Creates a virtual clock that starts at `startMs` of wall-clock time. */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let order = 0
  const timers = new Set<Timer>()
  const schedule = (afterMs: number, fire: () => void): Timer => {
    const timer = { at: elapsedMs + Math.max(0, afterMs), order: order++, fire }
    timers.add(timer)
    return timer
  }
  const due = (untilMs: number): Timer | undefined =>
    [...timers].filter((timer) => timer.at <= untilMs).sort((a, b) => a.at - b.at || a.order - b.order)[0]
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    now: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error)
        const timer = schedule(delayMs, resolve)
        signal?.addEventListener(
          'abort',
          () => {
            timers.delete(timer)
            reject(signal.reason as Error)
          },
          { once: true },
        )
      }),
    every: (periodMs, tick) => {
      let timer: Timer
      const again = (): void => {
        timer = schedule(periodMs, () => {
          again()
          tick()
        })
      }
      again()
      return () => void timers.delete(timer)
    },
    advance: async (byMs) => {
      const untilMs = elapsedMs + byMs
      await settle()
      for (let timer = due(untilMs); timer !== undefined; timer = due(untilMs)) {
        timers.delete(timer)
        elapsedMs = timer.at
        timer.fire()
        await settle()
      }
      elapsedMs = untilMs
      await settle()
    },
    jump: (byMs) => {
      wallOffsetMs += byMs
    },
  }
}
