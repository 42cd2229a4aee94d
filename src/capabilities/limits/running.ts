import { limitsFacts } from '../../contracts/limits.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { HoldfastError, plainError, steadyTime, type Random } from '../../kernel/std/index.ts'
import type { Restored } from '../../kernel/limit/index.ts'
import {
  commandOf,
  keepKnown,
  Ledger,
  Meter,
  readTable,
  type Command,
  type LedgerState,
  type MeterOverride,
} from './ledger/index.ts'
import type { KeptLimits, LimitJournal, LimitSnapshot } from './ports.ts'
import type { AppLimit } from './rules.ts'
import { startScribe, type Scribe } from './scribe.ts'

/** Application limits that count. */
export interface Running {
  readonly ledger: Ledger
  readonly scribe: Scribe
  /** What an earlier process had counted of refusals and not said. */
  readonly draft: string | null
  /** Never earlier than what was counted before; does not follow jumps of the wall clock. */
  readonly time: () => number
}

/** What limits are opened with. */
export interface OpenGround {
  readonly limits: readonly AppLimit[]
  readonly journal: LimitJournal
  readonly context: Pick<Context, 'clock' | 'log' | 'record'>
  readonly random: Random
  readonly overrides: readonly MeterOverride[]
}

/** Loads the newest snapshot and does again what was written down after it. Errors: those of the journal. */
export async function openRunning(ground: OpenGround): Promise<Running> {
  const { journal, context } = ground
  const { clock, log } = context
  const kept = await journal.open(clock.now())
  if (kept.forgotten > 0) await sayForgotten(context, kept.forgotten)
  const { ledger, latestMs } = rebuild(ground, kept)
  const time = steadyTime(clock, latestMs)
  const save = () => ({
    snapshot: { table: ledger.meter.save(time()), state: JSON.stringify(ledger.state()) },
    remembered: ledger.memory.takeFresh(),
  })
  const notSaved = ledger.memory.putBack.bind(ledger.memory)
  const scribe = startScribe({ journal, clock, log, save, notSaved }, kept.entries.length)
  return { ledger, scribe, time, draft: kept.draft }
}

/** Takes go on: what was forgotten may be given away once more, and nothing here can count it again. */
async function sayForgotten({ record, log }: OpenGround['context'], entries: number): Promise<void> {
  await record(limitsFacts.forgotten, { entries }, { subject: 'door:app' }).catch((error: unknown) => {
    log.warn({ entries, error: plainError(error).message }, 'forgotten takes were not recorded')
  })
}

function rebuild(
  ground: OpenGround,
  kept: KeptLimits,
): { readonly ledger: Ledger; readonly latestMs: number } {
  const { limits, random, overrides } = ground
  const meter = new Meter(limits, random, restored(ground, kept.snapshot))
  meter.override(overrides)
  const ledger = new Ledger(limits, meter)
  if (kept.snapshot !== null) ledger.restore(JSON.parse(kept.snapshot.state) as LedgerState)
  ledger.memory.restore(kept.remembered)
  const known = new Set(limits.map(({ name }) => name))
  let latestMs = meter.savedAtMs
  for (const entry of kept.entries) {
    const command = commandOf(entry)
    latestMs = Math.max(latestMs, command.at)
    const kept = keepKnown(command, (limit) => known.has(limit))
    if (kept !== null) replay(ledger, kept)
  }
  return { ledger, latestMs }
}

/** A command that the environment file has no limit for any more is passed over, and so is what follows from it. */
function replay(ledger: Ledger, command: Command): void {
  try {
    ledger.run(command)
  } catch (error) {
    if (!(error instanceof HoldfastError && error.kind === 'user')) throw error
  }
}

function restored({ limits, context }: OpenGround, snapshot: LimitSnapshot | null): Restored | null {
  if (snapshot === null) return null
  const found = readTable(limits, snapshot.table)
  if (!('unusable' in found)) return found
  context.log.error({ why: found.unusable }, 'the counts of application limits cannot be used and begin anew')
  return null
}
