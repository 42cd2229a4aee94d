import { systemClock, systemRandom, uuidv7, type Clock } from '../kernel/std/index.ts'
import { openBook, type Ask, type Book } from './book.ts'
import { findControl, type FoundControl } from './control/address.ts'
import { Control } from './control/control.ts'
import { Engine, type Decision } from './engine.ts'
import { Holds } from './holds.ts'
import { quietLog, standardError } from './log.ts'
import type {
  By,
  Explanation,
  Held,
  Limits,
  LimitSettings,
  LimitsOptions,
  Log,
  NamedTake,
  Reservation,
  ReserveOptions,
  RuleFacts,
  TakeOptions,
  Verdict,
} from './port.ts'
import { detectProcesses, sayMultiplied, signsOfProcess, type Processes } from './processes.ts'
import { Refusals } from './refusals.ts'
import { subjectText } from './control/wire.ts'
import { Waiting } from './waiting.ts'

const defaultCapacity = 65_536
const defaultRemembered = 500
const defaultLeaseMs = 60_000
/** Control gives no longer ones. */
const longestLeaseMs = 86_400_000
const fullRetryMs = 1000

/**
 * Opens the limits of an application. With control (that of the options, else the one that `HOLDFAST_URL` and
 * `HOLDFAST_TOKEN` name) everybody counts together. Without it each process counts by itself, and says so at start
 * when it is not the only one.
 *
 * @throws HoldfastError `limit.unreadable`, `limit.unsupported`, `limit.invalid-control`
 */
export function createLimits<const Settings extends LimitSettings>(
  settings: Settings,
  options: LimitsOptions = {},
): Limits<keyof Settings & string> {
  const { clock = systemClock, log = standardError, remembered = defaultRemembered } = options
  const book = openBook(settings)
  const processes = processesOf(options)
  const found = findControl(options.control, process.env)
  for (const line of sayWhoCounts(book, processes, found)) log.warn(line)
  return new ApplicationLimits({
    book,
    clock,
    remembered,
    engine: new Engine(book.entries, {
      clock,
      capacity: options.capacity ?? defaultCapacity,
      random: systemRandom,
      share: found === undefined ? 1 : (processes.count ?? 1),
    }),
    control: found && openControl(found, clock, log),
  })
}

function openControl({ address }: FoundControl, clock: Clock, log: Log): Control {
  return new Control({ address, clock, random: systemRandom, log: quietLog(log, clock) })
}

/** Nothing, where it is what the program wrote; the first process speaks for all. */
function sayWhoCounts({ entries }: Book, processes: Processes, found?: FoundControl): readonly string[] {
  if (!processes.isFirst) return []
  if (found === undefined) return sayMultiplied(entries, processes)
  return found.isGiven ? [`limits: control at ${found.address.url} counts, as HOLDFAST_URL says`] : []
}

function processesOf({ processes }: LimitsOptions): Processes {
  const detected = detectProcesses(signsOfProcess())
  return processes === undefined ? detected : { ...detected, count: processes }
}

interface Parts {
  readonly book: Book
  readonly engine: Engine
  readonly clock: Clock
  readonly control: Control | undefined
  readonly remembered: number
}

class ApplicationLimits implements Limits {
  readonly #book: Book
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #holds: Holds
  readonly #waiting: Waiting
  readonly #refusals: Refusals
  readonly isLocal: boolean
  #control: Control | undefined

  constructor({ book, engine, clock, control, remembered }: Parts) {
    this.#book = book
    this.#engine = engine
    this.#clock = clock
    this.#control = control
    this.isLocal = control === undefined
    this.#holds = new Holds(engine, clock)
    this.#waiting = new Waiting(clock)
    this.#refusals = new Refusals(remembered)
  }

  takeNow(limit: string, by: By, options?: TakeOptions): Verdict {
    return this.#decideOne(this.#book.ask(limit, by, options?.cost))
  }

  takeAllNow(takes: readonly NamedTake[]): Verdict {
    return this.#decide(this.#asks(takes))
  }

  async take(limit: string, by: By, options?: TakeOptions): Promise<Verdict> {
    const ask = this.#book.ask(limit, by, options?.cost)
    return await this.#queued([ask], () => this.#takeOne(ask, options?.id))
  }

  async takeAll(takes: readonly NamedTake[]): Promise<Verdict> {
    const asks = this.#asks(takes)
    return await this.#queued(asks, () => this.#takeAllOnce(asks, takes))
  }

  async reserve(limit: string, by: By, options: ReserveOptions = {}): Promise<Held> {
    const ask = this.#book.ask(limit, by, options.cost)
    const { leaseMs = defaultLeaseMs, id = uuidv7(this.#clock, systemRandom) } = options
    const control = this.#control
    const answer = (await control?.reserve(ask, { id, leaseMs })) ?? null
    if (control === undefined || answer === null) return this.#reserveHere(ask, { id, leaseMs }, control)
    const { verdict, endsAt } = answer
    this.#remember(ask, verdict, false)
    return { ...verdict, endsAt, ...this.#reservation(id, endsAt, verdict.admitted ? control : undefined) }
  }

  resume(id: string): Reservation {
    const isHere = this.#holds.answered(id) !== undefined
    return this.#reservation(id, this.#clock.now() + longestLeaseMs, isHere ? undefined : this.#control)
  }

  async refund(limit: string, by: By, options?: TakeOptions): Promise<void> {
    const ask = this.#book.ask(limit, by, options?.cost)
    this.#engine.refund(ask)
    await this.#control?.refund(ask, options?.id)
  }

  explain(by: By = {}): Explanation {
    return { refusals: this.#refusals.of(by), standing: this.#engine.standings(by) }
  }

  rules(limit: string): readonly RuleFacts[] {
    const { rules, texts } = this.#book.entry(limit)
    return rules.map(({ count, periodMs, per, kind, queue }, index) => {
      return { text: texts[index] ?? '', count, windowMs: periodMs, per, kind, queues: queue !== null }
    })
  }

  async close(): Promise<void> {
    const control = this.#control
    this.#control = undefined
    this.#holds.close()
    await control?.close()
  }

  #asks(takes: readonly NamedTake[]): readonly Ask[] {
    return takes.map(({ limit, by, cost }) => this.#book.ask(limit, by, cost))
  }

  #decide(asks: readonly Ask[]): Verdict {
    if (asks.length === 0) return { ...nothingAsked, at: this.#clock.now() }
    return this.#note(this.#engine.decide(asks))
  }

  #decideOne(ask: Ask): Verdict {
    return this.#engine.admit(ask) ?? this.#decide([ask])
  }

  #note({ verdict, wouldRefuse, by }: Decision): Verdict {
    if (!verdict.admitted || wouldRefuse) this.#remember({ by }, verdict, wouldRefuse)
    return verdict
  }

  #remember(
    { by }: Pick<Ask, 'by'>,
    { admitted, at, limit, rule, retryAfterMs, because }: Verdict,
    dryRun: boolean,
  ): void {
    if (admitted && !dryRun) return
    this.#refusals.add({ at, limit, rule, by, retryAfterMs, because, refused: !admitted })
  }

  /** Waits where the rules let it wait: in the shortest of their queues. */
  #queued(asks: readonly Ask[], take: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> {
    const rooms = asks.flatMap(({ entry }) => entry.rules.flatMap(({ queue }) => queue ?? []))
    const [first] = rooms
    if (first === undefined) return take()
    const places = Math.min(...rooms.map((room) => room.places))
    const patienceMs = Math.min(...rooms.map((room) => room.patienceMs))
    return this.#waiting.take(asks.map(subjectText).join('\n'), { places, patienceMs }, take)
  }

  #takeOne(ask: Ask, id: string | undefined): Verdict | Promise<Verdict> {
    const control = this.#control
    if (control === undefined) return this.#decideOne(ask)
    const here = control.decideHere(ask)
    return here === undefined ? this.#takeThere([ask], [id], control) : this.#mirrored([ask], here)
  }

  #takeAllOnce(asks: readonly Ask[], takes: readonly NamedTake[]): Verdict | Promise<Verdict> {
    const control = this.#control
    const [only] = asks
    if (control === undefined || only === undefined) return this.#decide(asks)
    if (asks.length === 1) return this.#takeOne(only, takes[0]?.id)
    const refusal = control.refuseHere(asks)
    if (refusal !== undefined) return this.#mirrored(asks, refusal)
    const ids = takes.map(({ id }) => id)
    return this.#takeThere(asks, ids, control)
  }

  async #takeThere(
    asks: readonly Ask[],
    ids: readonly (string | undefined)[],
    control: Control,
  ): Promise<Verdict> {
    const verdict = await control.take(asks, ids)
    return verdict === null ? this.#takeAway(asks, control) : this.#mirrored(asks, verdict)
  }

  /** What others admitted is written down here as well, so that control's absence does not begin with a fresh burst. */
  #mirrored(asks: readonly Ask[], verdict: Verdict): Verdict {
    if (verdict.admitted) for (const ask of asks) this.#engine.mirror(ask)
    else for (const ask of asks) if (ask.entry.name === verdict.limit) this.#remember(ask, verdict, false)
    return verdict
  }

  /** Each limit as it says; one that is closed is closed for all that are taken together. */
  #takeAway(asks: readonly Ask[], control: Control): Verdict {
    const closed = asks.find(({ entry }) => entry.whenAway === 'closed')
    if (closed !== undefined) return this.#refuseAway(closed, control)
    const counted = asks.filter(({ entry }) => entry.whenAway === 'local')
    const [first] = asks
    return counted.length === 0 && first !== undefined
      ? uncounted(first, this.#clock.now())
      : this.#decide(counted)
  }

  #refuseAway(ask: Ask, control: Control): Verdict {
    const because = `${ask.entry.name} cannot be counted at the moment, and is closed until it can be.`
    const refusal = refused(ask, this.#clock.now(), { retryAfterMs: control.pauseMs(), because })
    this.#remember(ask, refusal, false)
    return refusal
  }

  #reserveHere(ask: Ask, { id, leaseMs }: Lease, control: Control | undefined): Held {
    const endsAt = Math.ceil(this.#clock.now() + leaseMs)
    const isCounted = control === undefined || ask.entry.whenAway === 'local'
    const verdict = isCounted ? this.#hold(ask, id, endsAt) : this.#takeAway([ask], control)
    return { ...verdict, endsAt, ...this.#reservation(id, endsAt, undefined) }
  }

  /** Made by control, or by this process. */
  #reservation(id: string, endsAt: number, control: Control | undefined): Reservation {
    return {
      id,
      commit: async (cost) =>
        control === undefined ? this.#holds.commit(id, cost) : await control.commit(id, cost, endsAt),
      cancel: async () => (control === undefined ? this.#holds.cancel(id) : await control.cancel(id, endsAt)),
    }
  }

  #hold(ask: Ask, id: string, endsAtMs: number): Verdict {
    const before = this.#holds.answered(id)
    if (before !== undefined) return before
    if (!this.#holds.hasRoom()) {
      const because = 'This process holds as many reservations as it can.'
      return refused(ask, this.#clock.now(), { retryAfterMs: fullRetryMs, because })
    }
    const decision = this.#engine.decide([ask])
    const { verdict, taken } = decision
    if (verdict.admitted) this.#holds.add(id, { ask, verdict, taken, endsAtMs })
    return this.#note(decision)
  }
}

interface Lease {
  readonly id: string
  readonly leaseMs: number
}

const nothingAsked: Omit<Verdict, 'at'> = {
  admitted: true,
  limit: '',
  rule: '',
  retryAfterMs: 0,
  remaining: Number.POSITIVE_INFINITY,
  resetsAt: 0,
  because: '',
}

/** What is admitted without being counted. */
function uncounted({ entry }: Ask, nowMs: number): Verdict {
  return { ...nothingAsked, at: nowMs, limit: entry.name, rule: entry.texts[0] ?? '', resetsAt: nowMs }
}

/** What is refused without being counted. */
function refused(ask: Ask, nowMs: number, why: Pick<Verdict, 'retryAfterMs' | 'because'>): Verdict {
  return { ...uncounted(ask, nowMs), admitted: false, remaining: 0, ...why }
}
