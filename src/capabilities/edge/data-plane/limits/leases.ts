import type { Limiter, Take } from '../../../../kernel/limit/index.ts'
import type { SharedCounters, SharedLease } from '../shared-counters/index.ts'

/** Places taken under limits of the kind "at once", to be given back when the request ends. */
export interface Lease {
  readonly limiter: Limiter
  readonly takes: readonly Take[]
  takenAtMs: number
  /** The same places in the store that edges share. */
  readonly shared?: { readonly counters: SharedCounters; readonly lease: SharedLease }
}

/** The leases of a thread; long ones are renewed until they are given back. */
export interface Leases {
  hold(lease: Lease): void
  release(lease: Lease): void
  /** Renews what is older than a third of a lease's life. */
  renew(): void
}

const renewAfterMs = 20_000

/** Creates the book of leases, on the limiter's time; as large as there are requests under way. */
export function createLeases(timeMs: () => number): Leases {
  const held = new Set<Lease>()
  return {
    hold: (lease) => void held.add(lease),
    release: (lease) => {
      if (!held.delete(lease)) return
      lease.limiter.release(lease.takes, lease.takenAtMs, timeMs())
      lease.shared?.counters.release(lease.shared.lease, timeMs())
    },
    renew: () => {
      const nowMs = timeMs()
      for (const lease of held) {
        if (nowMs - lease.takenAtMs < renewAfterMs) continue
        lease.limiter.renew(lease.takes, lease.takenAtMs, nowMs)
        void lease.shared?.counters.renew(lease.shared.lease, nowMs)
        lease.takenAtMs = nowMs
      }
    },
  }
}
