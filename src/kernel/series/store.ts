import { asHoldfastError, assert, HoldfastError, type Clock } from '../std/index.ts'
import type { StoredSeries } from './archive.ts'
import { linkInMemory, linkToFile, type Link } from './link.ts'
import type { Measurement, MeasureKind, SeriesAnswer, SeriesKey, SeriesQuery, SeriesStore } from './port.ts'
import { createPending } from './pending.ts'
import { createRegistry } from './registry.ts'
import { aheadMs, horizon, hours, planOf } from './tiers.ts'

/** How to open a store of measurements. */
export interface SeriesOptions {
  /** File, in a directory that exists; null: in memory, in this thread, gone with the process. */
  readonly path: string | null
  readonly clock: Clock
  /** At most this many series (1 to 16,000; default 2,000). */
  readonly maxSeries?: number
  /** How often memory goes to disk (default 10,000 ms): the most that a crash loses. */
  readonly flushEveryMs?: number
  /** Told when writing in the background fails, once until it works again. */
  readonly onTrouble?: (error: HoldfastError) => void
}

const maxWaiting = 1000
const maxWaitingBeforeHolding = 8

/** Opens the store of measurements. Errors: `series.corrupt`, `series.newer`, `series.unwritable`. */
export async function openSeries(options: SeriesOptions): Promise<SeriesStore> {
  const { path, clock, maxSeries = 2000 } = options
  assert(maxSeries >= 1 && maxSeries <= 16_000, 'maxSeries is between 1 and 16,000')
  const maxBlocks = 8 * maxSeries + 100
  const link = path === null ? linkInMemory(maxBlocks) : await linkToFile(path, maxBlocks)
  const pending = createPending(4 * maxSeries)
  const forget = (slot: number): void => {
    pending.forget(slot)
    background(link.call('forget', { now: clock.now(), slot }))
  }
  const registry = createRegistry(link.known, maxSeries, forget)
  const trouble = troubleOf(options)
  const background = (work: Promise<unknown>): void => void work.then(trouble.over, trouble.report)
  let dropped = 0
  let closed = false

  const send = (): void => {
    // While the disk hangs, measurements wait in `pending`, which is bounded, and not in the queue.
    if (link.waiting >= maxWaitingBeforeHolding || pending.isEmpty()) return
    background(link.call('merge', { now: clock.now(), ...pending.take(registry) }))
  }
  const flush = async (): Promise<void> => {
    refuseClosed(closed)
    send()
    await link.call('persist', { now: clock.now() })
  }
  const stopTicking = clock.every(options.flushEveryMs ?? 10_000, () => {
    if (link.waiting < maxWaitingBeforeHolding) background(flush())
  })
  const take = (key: SeriesKey, kind: MeasureKind, measurement: Measurement): boolean => {
    const now = clock.now()
    const kept = measurement.at >= horizon(hours, now) && measurement.at <= now + aheadMs
    if (closed || !kept) return false
    return pending.add(measurement, () => registry.find(key, kind, now)?.slot)
  }

  return {
    record: (key, kind, measurement) => {
      if (!take(key, kind, measurement)) dropped++
    },
    query: async (query) => {
      refuseClosed(closed)
      refuseBusy(link)
      send()
      return answer(link, registry.matching(query.name, query.labels ?? {}), { query, now: clock.now() })
    },
    list: async () => registry.all().map(({ key }) => key),
    get dropped() {
      return dropped
    },
    flush,
    close: async () => {
      if (closed) return
      stopTicking()
      const written = flush()
      closed = true
      await closeAfter(written, link)
    },
  }
}

async function closeAfter(written: Promise<void>, link: Link): Promise<void> {
  try {
    await written
  } finally {
    await link.close()
  }
}

async function answer(
  link: Link,
  found: readonly StoredSeries[],
  { query, now }: { readonly query: SeriesQuery; readonly now: number },
): Promise<readonly SeriesAnswer[]> {
  const plan = planOf(query, found.length, now)
  if (plan === undefined || found.length === 0) return []
  const points = await link.call('read', { slots: found.map(({ slot }) => slot), plan })
  return found.map(({ key, kind }, index) => ({
    key,
    kind,
    stepMs: plan.stepMs,
    points: points[index] ?? [],
  }))
}

function troubleOf(options: SeriesOptions): { over: () => void; report: (error: unknown) => void } {
  let reported = false
  return {
    over: () => {
      reported = false
    },
    report: (error) => {
      if (!reported) options.onTrouble?.(asHoldfastError(error))
      reported = true
    },
  }
}

function refuseClosed(closed: boolean): void {
  if (closed)
    throw new HoldfastError({
      code: 'series.closed',
      kind: 'bug',
      message: 'the store of measurements was used after it was closed',
    })
}

function refuseBusy(link: Link): void {
  if (link.waiting >= maxWaiting)
    throw new HoldfastError({
      code: 'series.busy',
      kind: 'operational',
      message: `${maxWaiting} questions about measurements are waiting already`,
      hint: 'Try again in a moment; if it stays so, look at the disk.',
    })
}
