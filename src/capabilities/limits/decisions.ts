import { limitsFacts, limitsOperations } from '../../contracts/limits.ts'
import { bindValue, type Call, type Context, type OperationBinding } from '../../kernel/capability/index.ts'
import { HoldfastError, parseDuration, type InputOf, lookUp } from '../../kernel/std/index.ts'
import { tooMany, unknownLimit } from './ledger/index.ts'
import { fullName, readRule, type AppLimit } from './rules.ts'
import { limitsBounds, overrideKey, type Holding, type LimitsState } from './view.ts'

/** What people decide with. */
export interface DecisionGround {
  readonly context: Context
  readonly limits: readonly AppLimit[]
  readonly state: () => LimitsState
}

type BanInput = InputOf<typeof limitsOperations.ban>
type OverrideInput = InputOf<typeof limitsOperations.override>

const holding = <T extends Holding>(all: { readonly [key: string]: T }, now: number): T[] =>
  Object.values(all).filter(({ until }) => until > now)

/** Refuses one more when there are as many as there may be. */
function refuseMany(what: 'bans' | 'overrides', key: string, ground: DecisionGround): void {
  const all = ground.state()[what]
  const most = limitsBounds[what]
  if (Object.hasOwn(all, key)) return
  if (holding(all as { readonly [key: string]: Holding }, ground.context.clock.now()).length >= most) {
    throw tooMany(what, most)
  }
}

async function ban(ground: DecisionGround, input: BanInput, call: Call): Promise<{ until: number }> {
  const { subject, because } = input
  refuseMany('bans', subject, ground)
  const until = ground.context.clock.now() + (parseDuration(input.for) ?? 0)
  await ground.context.record(limitsFacts.banned, { subject, until, because }, by(subject, call))
  return { until }
}

const by = (subject: string, { caller, correlation }: Call) => ({ subject, actor: caller.actor, correlation })

async function unban(
  ground: DecisionGround,
  { subject, because }: InputOf<typeof limitsOperations.unban>,
  call: Call,
): Promise<{ unbanned: boolean }> {
  const { bans } = ground.state()
  const ban = lookUp(bans, subject)
  if (ban === undefined || ban.until <= ground.context.clock.now()) return { unbanned: false }
  await ground.context.record(limitsFacts.unbanned, { subject, because }, by(subject, call))
  return { unbanned: true }
}

function limitNamed(limits: readonly AppLimit[], name: string): AppLimit {
  const found = limits.find((limit) => limit.name === name)
  if (found !== undefined) return found
  throw unknownLimit(
    name,
    limits.map((limit) => limit.name),
  )
}

/** An override decides where the limit's own rules would: from the same takes, and with no need of an end that they lack. */
function checkOverride(limit: AppLimit, { subject, rule: text }: OverrideInput): string {
  const { rule, text: printed } = readRule(text, 'rule')
  const [dimension = ''] = subject.split(':')
  const known = [...limit.dimensions, dimension]
  const odd = rule.per.find((each) => !known.includes(each))
  if (odd !== undefined) {
    throw notFitting(
      `takes from ${limit.name} need not name ${odd}`,
      `count per ${known.join(', per ')}, or for the subject as a whole`,
    )
  }
  if (rule.kind === 'concurrency' && !limit.needsEnd) {
    throw notFitting(
      `takes from ${limit.name} have no end, so nothing of it goes on at once`,
      'override it with a rate, a window or a calendar rule',
    )
  }
  return printed
}

function notFitting(message: string, hint: string): HoldfastError {
  return new HoldfastError({ code: 'limits.override-unfit', kind: 'user', message, hint, path: 'rule' })
}

async function override(
  ground: DecisionGround,
  input: OverrideInput,
  call: Call,
): Promise<{ until: number }> {
  const { subject, because } = input
  const found = limitNamed(ground.limits, input.limit)
  const rule = checkOverride(found, input)
  const limit = fullName(found.name)
  refuseMany('overrides', overrideKey(limit, subject), ground)
  const until = input.until ?? ground.context.clock.now() + (parseDuration(input.for ?? '7d') ?? 0)
  const data = { limit, subject, rule, until, because }
  await ground.context.record(limitsFacts.overrideSet, data, by(subject, call))
  return { until }
}

async function liftOverride(
  ground: DecisionGround,
  input: InputOf<typeof limitsOperations.liftOverride>,
  call: Call,
): Promise<{ lifted: boolean }> {
  const { subject, because } = input
  const limit = fullName(input.limit)
  const { overrides } = ground.state()
  const key = overrideKey(limit, subject)
  const found = lookUp(overrides, key)
  if (found === undefined || found.until <= ground.context.clock.now()) return { lifted: false }
  await ground.context.record(limitsFacts.overrideLifted, { limit, subject, because }, by(subject, call))
  return { lifted: true }
}

/** Binds bans and overrides. */
export function bindDecisions(ground: DecisionGround): readonly OperationBinding[] {
  const { clock } = ground.context
  return [
    bindValue(limitsOperations.ban, (input, call) => ban(ground, input, call)),
    bindValue(limitsOperations.unban, (input, call) => unban(ground, input, call)),
    bindValue(limitsOperations.bans, async () => ({ bans: holding(ground.state().bans, clock.now()) })),
    bindValue(limitsOperations.override, (input, call) => override(ground, input, call)),
    bindValue(limitsOperations.liftOverride, (input, call) => liftOverride(ground, input, call)),
    bindValue(limitsOperations.overrides, async () => ({
      overrides: holding(ground.state().overrides, clock.now()),
    })),
  ]
}
