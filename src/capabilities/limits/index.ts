import type { Capability, Context } from '../../kernel/capability/index.ts'
import { asHoldfastError, HoldfastError, plainError } from '../../kernel/std/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { limitsConfig, type LimitsConfig } from './config.ts'
import { bindDecisions } from './decisions.ts'
import { createDesk } from './desk.ts'
import { bindExplain } from './explain/index.ts'
import type { MeterOverride } from './ledger/index.ts'
import { bindTakes } from './operations.ts'
import type { LimitsPorts } from './ports.ts'
import { startRollUp, type RollUp } from './roll-up.ts'
import { compileLimits, readRule, type AppLimit } from './rules.ts'
import { openRunning, type Running } from './running.ts'
import { bindList, watchUse, type UseWatch } from './use.ts'
import { limitsFold, type LimitsState } from './view.ts'

export type { LimitsConfig } from './config.ts'

/** A journal that could not be opened is tried again after so long, ms. */
const openAgainMs = 5000

interface Shelf {
  view?: View<LimitsState>
  running?: Running
  use?: UseWatch
  rollUp?: RollUp
  /** Why there is nothing running. */
  trouble: HoldfastError
  /** The overrides that the meter has, as the fold gave them. */
  seen?: LimitsState['overrides']
}

const notStarted = new HoldfastError({
  code: 'limits.journal-failed',
  kind: 'operational',
  message: 'the journal of application limits is not open yet',
  hint: 'try again in a moment',
})

/** Overrides of limits that the environment file still has, as the meter takes them. */
function meterOverrides(overrides: LimitsState['overrides'], limits: readonly AppLimit[]): MeterOverride[] {
  return Object.values(overrides).flatMap(({ limit, subject, rule }) => {
    const name = limit.replace(/^app\./, '')
    const isKnown = limit.startsWith('app.') && limits.some((each) => each.name === name)
    return isKnown ? [{ limit: name, subject, rule: readRule(rule, 'rule') }] : []
  })
}

async function open(shelf: Shelf, ground: Parts): Promise<void> {
  const { limits, context, ports } = ground
  const seen = shelf.view?.state.overrides ?? {}
  const overrides = meterOverrides(seen, limits)
  const { random } = context
  const running = await openRunning({ limits, journal: ports.journal, context, random, overrides })
  shelf.seen = seen
  shelf.running = running
  shelf.use = watchUse(context, running.ledger.meter)
  const { draft } = running
  shelf.rollUp?.keepIn({ draft, keep: (text) => ports.journal.keepDraft(text) })
}

/** Opens the journal, or keeps the reason why it cannot, which is what takes answer then. */
async function tryToOpen(shelf: Shelf, ground: Parts): Promise<boolean> {
  try {
    await open(shelf, ground)
    return true
  } catch (error) {
    const trouble = asHoldfastError(error)
    if (trouble.message !== shelf.trouble.message) {
      ground.context.log.error({ error: trouble.message }, 'application limits cannot be counted')
    }
    shelf.trouble = trouble
    return false
  }
}

/** Everything else of the house goes on while the journal does not open. */
async function openLater(shelf: Shelf, ground: Parts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ground.context.clock.sleep(openAgainMs, signal).catch(() => undefined)
    if (signal.aborted || (await tryToOpen(shelf, ground))) return
  }
}

interface Parts {
  readonly limits: readonly AppLimit[]
  readonly context: Context
  readonly ports: LimitsPorts
}

/** What counts now, with the overrides that hold now. Errors: why nothing counts. */
function current(shelf: Shelf, limits: readonly AppLimit[]): Running {
  const { running, view } = shelf
  if (running === undefined) throw shelf.trouble
  const overrides = view?.state.overrides
  if (overrides !== undefined && overrides !== shelf.seen) {
    running.ledger.meter.override(meterOverrides(overrides, limits))
    shelf.seen = overrides
  }
  return running
}

function createLimits(section: LimitsConfig, context: Context, ports: LimitsPorts): Capability {
  const limits = compileLimits(section)
  const shelf: Shelf = { trouble: notStarted }
  const state = (): LimitsState => shelf.view?.state ?? limitsFold.initial
  const rollUp: RollUp = {
    refuse: (decided) => shelf.rollUp?.refuse(decided),
    admit: (limit, keys, units) => shelf.rollUp?.admit(limit, keys, units),
    keepIn: (diary) => shelf.rollUp?.keepIn(diary),
    stop: async () => shelf.rollUp?.stop(),
  }
  const desk = createDesk({ limits, rollUp, decisions: state, running: () => current(shelf, limits) })
  const stopping = new AbortController()
  let opening: Promise<void> = Promise.resolve()
  return {
    name: 'limits',
    operations: [
      ...bindTakes(desk),
      ...bindDecisions({ context, limits, state }),
      ...bindExplain({ context, own: limits }),
      bindList({ context, limits, lastMinute: () => shelf.use?.lastMinute() ?? new Map() }),
    ],
    check: async () => [],
    start: async () => {
      shelf.view = await context.view(limitsFold)
      shelf.rollUp = startRollUp(context)
      const parts = { limits, context, ports }
      if (!(await tryToOpen(shelf, parts))) opening = openLater(shelf, parts, stopping.signal)
    },
    stop: async () => {
      stopping.abort(new Error('limits stop'))
      await opening
      shelf.use?.stop()
      await rollUp.stop()
      await shelf.running?.scribe.close().catch((error: unknown) => {
        context.log.error({ error: plainError(error).message }, 'the last snapshot of limits was not written')
      })
      await ports.journal.close()
    },
  }
}

/** The capability that counts what applications may give away: its section and its part in control. */
export const limits = { config: limitsConfig, compile: compileLimits, create: createLimits }
