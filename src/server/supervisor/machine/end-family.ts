import type { Clock } from '../../../kernel/std/index.ts'
import { familyMembers, isAlive, type Family } from './members.ts'
import type { ProcessTable } from './process-table.ts'

/** A family that can be ended; `groupPids` is asked again each time. */
export interface EndableFamily {
  readonly pid: number
  readonly birth: string
  readonly mark: Family['mark']
  readonly groupPids: () => readonly number[]
}

const POLL_MS = 25
/** A family that forks while it is being killed is met again; one that still lives after this many rounds is stuck in the kernel. */
const KILL_ROUNDS = 80

/** Ends processes gracefully. */
export interface Ender {
  /**
   * SIGTERM, or the signal that is named, to the leader; when it is gone, SIGTERM to what it leaves; whoever is there
   * `timeoutMs` after the first signal is killed. Resolves when nobody is left (or the kernel does not let go of one).
   */
  end(family: EndableFamily, timeoutMs: number, signal?: NodeJS.Signals): Promise<void>
  /** SIGKILL to everyone. */
  kill(family: EndableFamily): Promise<void>
}

/** Creates an ender over the machine's processes. */
export function createEnder(clock: Clock, table: ProcessTable): Ender {
  const members = (family: EndableFamily): readonly number[] =>
    familyMembers({ ...family, groupPids: family.groupPids() }, table).map((entry) => entry.pid)

  const waitUntil = async (done: () => boolean, deadlineMs: number): Promise<boolean> => {
    while (!done()) {
      if (clock.monotonicMs() >= deadlineMs) return false
      await clock.sleep(POLL_MS)
    }
    return true
  }

  const kill = async (family: EndableFamily): Promise<void> => {
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const pids = members(family)
      if (pids.length === 0) return
      for (const pid of pids) signalProcess(pid, 'SIGKILL')
      await clock.sleep(POLL_MS)
    }
  }

  const end = async (
    family: EndableFamily,
    timeoutMs: number,
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<void> => {
    const deadlineMs = clock.monotonicMs() + timeoutMs
    if (isAlive(table, family.pid, family.birth)) signalProcess(family.pid, signal)
    const leaderGone = await waitUntil(() => !isAlive(table, family.pid, family.birth), deadlineMs)
    if (leaderGone) {
      for (const pid of members(family)) signalProcess(pid, 'SIGTERM')
      await waitUntil(() => members(family).length === 0, deadlineMs)
    }
    await kill(family)
  }

  return { end, kill }
}

/** Sends a signal; one that is already gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: it went by itself between the look and the signal.
  }
}
