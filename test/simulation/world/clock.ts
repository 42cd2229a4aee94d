import type { Clock } from '../../../src/kernel/std/index.ts'

/** A clock of something that can die: its timers die with it. */
export interface MortalClock extends Clock {
  /** Drops every timer; whatever sleeps never wakes. */
  end(): void
}

/** Virtual time of a whole world. Like `virtualClock`, but quicker, and parts of the world can die. */
export interface WorldClock extends Clock {
  mortal(): MortalClock
  /** Moves time on, firing what falls due and letting promises settle in between. */
  advance(byMs: number): Promise<void>
  /** Moves wall-clock time only. */
  jump(byMs: number): void
  /** Most milliseconds that anybody can believe to have passed: the monotonic ones, and every jump ahead. */
  mostElapsedMs(): number
  /** Timers that are set. */
  pending(): number
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Nothing in the world waits for the machine, so one turn of the event loop empties every queue of promises. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class Times {
  elapsedMs = 0
  aheadMs = 0
  wallMs = Date.UTC(2026, 0, 1)
  order = 0
  readonly timers = new Set<Timer>()

  due(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.timers) {
      if (timer.at > untilMs) continue
      const earlier = first === undefined || timer.at < first.at
      if (earlier || (timer.at === first?.at && timer.order < first.order)) first = timer
    }
    return first
  }
}

function clockOn(times: Times): MortalClock {
  const mine = new Set<Timer>()
  let ended = false
  const drop = (timer: Timer): void => {
    mine.delete(timer)
    times.timers.delete(timer)
  }
  const schedule = (afterMs: number, fire: () => void): Timer => {
    const timer: Timer = {
      at: times.elapsedMs + Math.max(0, afterMs),
      order: times.order++,
      fire: () => {
        mine.delete(timer)
        fire()
      },
    }
    if (ended) return timer
    mine.add(timer)
    times.timers.add(timer)
    return timer
  }
  return {
    now: () => Math.floor(times.wallMs + times.elapsedMs),
    monotonicMs: () => times.elapsedMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const reason = (): Error => signal?.reason as Error
        if (signal?.aborted === true) return reject(reason())
        const onAbort = (): void => {
          drop(timer)
          if (!ended) reject(reason())
        }
        const timer = schedule(delayMs, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
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
      return () => drop(timer)
    },
    end: () => {
      ended = true
      for (const timer of mine) drop(timer)
    },
  }
}

/** Creates the clock of a world. */
export function createWorldClock(): WorldClock {
  const times = new Times()
  return {
    ...clockOn(times),
    mortal: () => clockOn(times),
    advance: async (byMs) => {
      const untilMs = times.elapsedMs + byMs
      await settle()
      for (let timer = times.due(untilMs); timer !== undefined; timer = times.due(untilMs)) {
        times.timers.delete(timer)
        times.elapsedMs = timer.at
        timer.fire()
        await settle()
      }
      times.elapsedMs = untilMs
    },
    jump: (byMs) => {
      times.wallMs += byMs
      times.aheadMs += Math.max(0, byMs)
    },
    mostElapsedMs: () => times.elapsedMs + times.aheadMs,
    pending: () => times.timers.size,
  }
}
