import type { EdgePolicy } from '../../../../../contracts/edge-policy.ts'
import { parseLimit, restoreTable, type Restored } from '../../../../../kernel/limit/index.ts'
import type { Clock, Random } from '../../../../../kernel/std/index.ts'
import { limitCapacity } from '../../shared/index.ts'

/** The file in which the table of limits outlives the process. */
export interface KeptTable {
  /** In a directory that is there when the first policy is in effect. */
  readonly path: string
  /** What lies there; null: nothing that can be read. Asked once, with the first policy. */
  readonly read: () => Promise<Uint8Array | null>
  /** For the log: what was found cannot be used, or nothing can be written. */
  readonly say: (message: string) => void
}

/** With what limits begin to count. */
export interface Beginning {
  readonly seed: readonly [number, number]
  /** See `ThreadGround`. */
  readonly timeOriginMs: number
  /** Who owes what from before; null: nobody owes anything. */
  readonly table: { readonly capacity: number; readonly buffer: SharedArrayBuffer } | null
}

/** Up to here time waits for a clock that was set back; beyond it the table carries its debts over to the new time. */
const mostAheadMs = 3_600_000

/** Goes on where an earlier process was, if it can; nothing that is found in the file ever stops the edge. */
export async function beginLimits(
  { clock, random, table }: BeginParts,
  { limits, limiterCapacity: capacity }: Pick<EdgePolicy, 'limits' | 'limiterCapacity'>,
): Promise<Beginning> {
  const named = limits.map(({ name, rule }) => ({ name, rule: parseLimit(rule) }))
  const found = table === null ? null : await restored(table, { limits: named, capacity })
  const nowMs = clock.now()
  if (found === null) {
    const seed = new Uint32Array(random.bytes(8).slice().buffer)
    return {
      seed: [seed[0] ?? 0, seed[1] ?? 0],
      timeOriginMs: nowMs - clock.monotonicMs(),
      table: null,
    }
  }
  const { seed, savedAtMs, buffer } = found
  const startMs = savedAtMs - nowMs > mostAheadMs ? nowMs : Math.max(nowMs, savedAtMs)
  return { seed, timeOriginMs: startMs - clock.monotonicMs(), table: { capacity, buffer } }
}

interface BeginParts {
  readonly clock: Clock
  readonly random: Random
  readonly table: KeptTable | null
}

async function restored(
  { read, say }: KeptTable,
  options: Omit<Parameters<typeof restoreTable>[1], 'limitCapacity' | 'withoutLeases'>,
): Promise<Restored | null> {
  const saved = await read()
  if (saved === null) return null
  const found = restoreTable(saved, { ...options, limitCapacity, withoutLeases: true })
  if (!('unusable' in found)) return found
  say(`the limits begin anew, for what was kept of them cannot be used: ${found.unusable}`)
  return null
}
