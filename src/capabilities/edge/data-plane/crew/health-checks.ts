import type { EdgePolicy } from '../../../../contracts/edge-policy.ts'
import type { Clock } from '../../../../kernel/std/index.ts'
import { health } from '../../health.ts'
import type { TargetBoard } from '../shared/index.ts'

/** Looks whether something at an address is well; never throws. */
export interface TargetProbe {
  probe(origin: string, path: string | null, timeoutMs: number): Promise<{ readonly healthy: boolean }>
}

interface Watched {
  readonly id: string
  readonly origin: string
  readonly slot: number
  readonly path: string | null
  readonly intervalMs: number
  lookedAtMs: number
  failures: number
  isBusy: boolean
}

/** The health checks of all targets. */
export interface HealthChecks {
  /** From now on these targets are watched. */
  watch(policy: EdgePolicy, slots: readonly (readonly number[])[]): void
  /** Ids of targets that get no requests. */
  unhealthy(): readonly string[]
  stop(): void
}

const tickMs = 250
/** An ill target is looked at more often: it may be about to get well. */
const illIntervalMs = 500
const probeTimeoutMs = 2000
/** A target that was well is ill after so many failures in a row. */
const failuresToFall = 2
const mostAtOnce = 32

/** Starts the checks: each target at its interval, at once when it is new or under suspicion. */
export function startHealthChecks(parts: {
  readonly clock: Clock
  readonly board: TargetBoard
  readonly probe: TargetProbe
}): HealthChecks {
  const { clock, board, probe } = parts
  let watched = new Map<string, Watched>()
  let busy = 0

  const isDue = (target: Watched): boolean => {
    if (target.isBusy) return false
    if (board.healthOf(target.slot) === health.suspect) return true
    const isIll = board.healthOf(target.slot) === health.ill
    const intervalMs = isIll ? Math.min(target.intervalMs, illIntervalMs) : target.intervalMs
    return clock.monotonicMs() - target.lookedAtMs >= intervalMs
  }

  const look = async (target: Watched): Promise<void> => {
    target.isBusy = true
    busy++
    const before = board.healthOf(target.slot)
    const { healthy } = await probe
      .probe(target.origin, target.path, probeTimeoutMs)
      .catch(() => ({ healthy: false }))
    busy--
    target.isBusy = false
    target.lookedAtMs = clock.monotonicMs()
    if (watched.get(keyOf(target)) !== target) return
    target.failures = healthy ? 0 : target.failures + 1
    const falls = before !== health.well || target.failures >= failuresToFall
    if (healthy) board.setHealth(target.slot, health.well)
    else if (falls) board.setHealth(target.slot, health.ill)
  }

  const tick = (): void => {
    for (const target of watched.values()) {
      if (busy >= mostAtOnce) return
      if (isDue(target)) void look(target)
    }
  }

  const stop = clock.every(tickMs, tick)
  return {
    watch: (policy, slots) => {
      const fresh = new Map<string, Watched>()
      for (const target of targetsOf(policy, slots)) {
        const known = watched.get(keyOf(target))
        fresh.set(keyOf(target), known ?? target)
      }
      watched = fresh
      tick()
    },
    unhealthy: () =>
      [...watched.values()]
        .filter(({ slot }) => [health.ill, health.suspect].includes(board.healthOf(slot) as 2 | 3))
        .map(({ id }) => id),
    stop,
  }
}

function keyOf({ slot, path, intervalMs }: Watched): string {
  return `${slot} ${intervalMs} ${path ?? ''}`
}

function targetsOf(policy: EdgePolicy, slots: readonly (readonly number[])[]): readonly Watched[] {
  return policy.upstreams.flatMap(({ targets, healthPath, healthIntervalMs }, upstream) =>
    targets.map(({ id, origin }, index) => ({
      id,
      origin,
      slot: slots[upstream]?.[index] ?? 0,
      path: healthPath,
      intervalMs: healthIntervalMs,
      lookedAtMs: Number.NEGATIVE_INFINITY,
      failures: 0,
      isBusy: false,
    })),
  )
}
