import { mustRun, type Place } from '../holdfast/index.ts'
import type { Journal } from './journal.ts'

/** One of our processes. */
export type Victim = 'control' | 'edge' | 'supervisor'

/** Kills a process at some moment of an undertaking. */
export interface Killer {
  /** Resolves once it is dead, and, if it was the supervisor, once another has been started; false: it came too late. */
  readonly done: Promise<boolean>
  /** The undertaking is over. */
  stop(): void
}

const lookMs = 4

function kill(here: Place, victim: Victim): void {
  try {
    process.kill(here.pidOf(victim), 'SIGKILL')
  } catch {
    // It is not there at this moment, which is as good.
  }
}

/** Whoever watches over the house starts it again. */
async function startAgain(here: Place): Promise<void> {
  mustRun(await here.up())
}

/** Whom, and when. */
export interface KillWhen {
  readonly victim: Victim
  readonly journal: Journal
  /** Sequence number from which facts are counted. */
  readonly since: number
  /** When so many have come. */
  readonly facts: number
  /** Instead: when so much time has gone by. */
  readonly afterMs?: number
}

/** Kills one of our processes, once. */
export function killer(here: Place, { victim, journal, since, facts, afterMs }: KillWhen): Killer {
  const over = new AbortController()
  const beganMs = performance.now()
  const isTime = (): boolean =>
    afterMs === undefined ? journal.last() - since >= facts : performance.now() - beganMs >= afterMs
  const work = async (): Promise<boolean> => {
    while (!isTime()) {
      if (over.signal.aborted) return false
      await new Promise((next) => setTimeout(next, lookMs))
    }
    kill(here, victim)
    if (victim === 'supervisor') await startAgain(here)
    return true
  }
  return { done: work(), stop: () => over.abort() }
}
