import type { LimitVerdict } from '../../contracts/limits.ts'
import { mostWindowCost, type LimitRule } from '../../kernel/limit/index.ts'
import { sayDuration, lookUp } from '../../kernel/std/index.ts'
import {
  costTooLarge,
  entryOf,
  missingDimension,
  needsReservation,
  subjectOf,
  takesOf,
  unknownLimit,
  type Answers,
  type By,
  type Command,
  type Outcome,
} from './ledger/index.ts'
import type { RollUp } from './roll-up.ts'
import { fullName, readRule, type AppLimit } from './rules.ts'
import type { Running } from './running.ts'
import { overrideKey, type Ban, type LimitsState, type Override } from './view.ts'

/** What somebody asks for. */
export interface Ask {
  readonly limit: string
  readonly by: By
  /** Units at once. */
  readonly cost: number
}

/** A take that can be decided: its limit is known, and what it counts by is named. */
export interface Found {
  readonly limit: AppLimit
  readonly by: By
  readonly cost: number
  readonly override: Override | null
  readonly ban: Ban | null
}

/** What the desk stands on. */
export interface DeskGround {
  readonly limits: readonly AppLimit[]
  readonly rollUp: RollUp
  readonly decisions: () => LimitsState
  /** Errors: those of the journal, while it is not open. */
  readonly running: () => Running
}

/** A command before the desk gives it its time. */
export type Untimed<C> = C extends Command ? Omit<C, 'at'> : never

/** Where takes are looked up, decided and written down. */
export interface Desk {
  /** Errors: `limits.unknown-limit`, `limits.missing-dimension`, `limits.needs-reservation`, `limits.cost-too-large`. */
  find(ask: Ask, hasEnd: boolean): Found
  /** A refusal if the subject is banned. */
  refuseBanned(found: Found): LimitVerdict | null
  /** Decides all, in order, then waits until what changed is on disk; what cannot be written down is undone. */
  decide<C extends Command>(
    commands: readonly Untimed<C>[],
    fast: boolean,
  ): Promise<readonly Answers[C['does']][]>
  /** What a take would come to. */
  foresee(found: Found): LimitVerdict
}

/** Creates the desk. */
export function createDesk(ground: DeskGround): Desk {
  const byName = new Map(ground.limits.map((limit) => [limit.name, limit]))
  const find = (ask: Ask, hasEnd: boolean): Found => {
    const limit = byName.get(ask.limit)
    if (limit === undefined) throw unknownLimit(ask.limit, [...byName.keys()])
    const now = ground.running().time()
    const override = overrideFor(ground.decisions(), { limit, by: ask.by, now })
    checkAsk(limit, override, { ...ask, hasEnd })
    return { limit, by: ask.by, cost: ask.cost, override, ban: banOf(ground.decisions(), ask.by, now) }
  }
  return {
    find,
    refuseBanned: (found) => refuseBanned(ground, found),
    decide: async (commands, fast) => decide(ground, commands, fast),
    foresee: ({ limit, by, cost, override }) => {
      const { ledger, time } = ground.running()
      return ledger.foresee({ at: time(), limit: limit.name, by, cost, override: override?.subject ?? null })
    },
  }
}

function* subjectsOf(by: By): Generator<string> {
  for (const dimension of Object.keys(by)) yield `${dimension}:${by[dimension]}`
}

function banOf({ bans }: LimitsState, by: By, now: number): Ban | null {
  for (const subject of subjectsOf(by)) {
    const ban = lookUp(bans, subject)
    if (ban !== undefined && ban.until > now) return ban
  }
  return null
}

/** The first override that holds, in the order in which the take names its dimensions. */
function overrideFor(
  { overrides }: LimitsState,
  { limit, by, now }: { readonly limit: AppLimit; readonly by: By; readonly now: number },
): Override | null {
  for (const subject of subjectsOf(by)) {
    const key = overrideKey(fullName(limit.name), subject)
    const override = lookUp(overrides, key)
    if (override !== undefined && override.until > now) return override
  }
  return null
}

function checkAsk(limit: AppLimit, override: Override | null, ask: Ask & { readonly hasEnd: boolean }): void {
  const missing = limit.dimensions.find((dimension) => !Object.hasOwn(ask.by, dimension))
  if (missing !== undefined) throw missingDimension(limit, missing)
  const rules: readonly LimitRule[] =
    override === null ? limit.rules.map(({ rule }) => rule) : [readRule(override.rule, 'rule').rule]
  if (!ask.hasEnd && rules.some(({ kind }) => kind === 'concurrency')) throw needsReservation(limit)
  if (ask.cost > mostWindowCost && rules.some(({ kind }) => kind === 'window')) throw costTooLarge(limit)
}

function refuseBanned({ rollUp, running }: DeskGround, found: Found): LimitVerdict | null {
  const { ban, limit, cost } = found
  if (ban === null) return null
  const { subject, until, because } = ban
  const now = running().time()
  rollUp.refuse({ limit: fullName(limit.name), rule: '', subject, units: cost, what: 'refused' })
  return {
    admitted: false,
    limit: limit.name,
    rule: null,
    retryAfterMs: Math.max(1, until - now),
    remaining: 0,
    resetsAt: until,
    because: `${subject} is banned for another ${sayDuration(until - now)}: ${because}`,
  }
}

interface Done {
  readonly command: Command
  readonly outcome: Outcome
}

async function decide<C extends Command>(
  ground: DeskGround,
  untimed: readonly Untimed<C>[],
  fast: boolean,
): Promise<readonly Answers[C['does']][]> {
  const { ledger, scribe, time } = ground.running()
  const at = time()
  const done: Done[] = []
  try {
    for (const each of untimed) {
      const command = { ...each, at } as unknown as Command
      done.push({ command, outcome: ledger.run(command) })
    }
    const entries = done.filter(({ outcome }) => outcome.changed).map(({ command }) => entryOf(command))
    await scribe.write(entries, fast)
    // What is answered again may still be on its way to the disk.
    if (done.some(({ outcome }) => outcome.recalled)) await scribe.settled()
  } catch (error) {
    for (const { command, outcome } of done.toReversed()) ledger.undo(command, outcome)
    throw error
  }
  for (const each of done) tell(ground, each)
  return done.map(({ outcome }) => outcome.answer) as unknown as readonly Answers[C['does']][]
}

/** Tells the roll-up what was decided about whom. */
function tell({ rollUp, limits }: DeskGround, { command, outcome }: Done): void {
  if (outcome.recalled) return
  const verdict = outcome.answer as LimitVerdict
  for (const asked of takesOf(command)) {
    const { limit, by, override, cost: units } = asked
    const name = fullName(limit)
    const rules = limits.find((each) => each.name === limit)?.rules ?? []
    const subjectUnder = (text: string): string => {
      const rule = rules.find((written) => written.text === text)?.rule
      return rule === undefined ? (override ?? '') : subjectOf(rule.per, by)
    }
    const refuse = (rule: string, what: 'refused' | 'wouldRefuse'): void =>
      rollUp.refuse({ limit: name, rule, subject: subjectUnder(rule), units, what })
    for (const dry of outcome.wouldRefuse) if (dry.limit === limit) refuse(dry.rule, 'wouldRefuse')
    if (outcome.refused === asked && verdict.rule !== null) refuse(verdict.rule, 'refused')
    if (verdict.admitted)
      rollUp.admit(name, () => rules.map(({ text }) => `${text}\n${subjectUnder(text)}`), units)
  }
}
