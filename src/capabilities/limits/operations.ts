import { limitsOperations, type LimitVerdict } from '../../contracts/limits.ts'
import { bindValue, type OperationBinding } from '../../kernel/capability/index.ts'
import type { InputOf } from '../../kernel/std/index.ts'
import { mostTakes } from '../../kernel/limit/index.ts'
import { tooManyTogether, type Command } from './ledger/index.ts'
import type { Desk, Found, Untimed } from './desk.ts'

type Of<Does extends Command['does']> = Extract<Command, { does: Does }>

const askOf = ({ limit, by, override }: Found) => ({
  limit: limit.name,
  by,
  override: override?.subject ?? null,
})

async function take(
  desk: Desk,
  { takes, together }: InputOf<typeof limitsOperations.take>,
): Promise<{ verdicts: LimitVerdict[] }> {
  const found = takes.map((each) => desk.find(each, false))
  const asks = found.map((each, index) => ({ found: each, id: takes[index]?.id ?? null }))
  return { verdicts: together ? [await takeTogether(desk, asks)] : await takeEach(desk, asks) }
}

interface Asked {
  readonly found: Found
  readonly id: string | null
}

const partOf = ({ found, id }: Asked) => ({ ...askOf(found), cost: found.cost, id })
/** One durable limit among them, and the answer waits for the disk. */
const isFast = (asks: readonly Asked[]): boolean => asks.every(({ found }) => found.limit.fast)

async function takeEach(desk: Desk, asks: readonly Asked[]): Promise<LimitVerdict[]> {
  const banned = asks.map(({ found }) => desk.refuseBanned(found))
  const commands = asks
    .filter((_, index) => banned[index] === null)
    .map((each): Untimed<Of<'take'>> => ({ does: 'take', ...partOf(each) }))
  const decided = [...(await desk.decide<Of<'take'>>(commands, isFast(asks)))]
  return banned.flatMap((refusal) => refusal ?? decided.shift() ?? [])
}

async function takeTogether(desk: Desk, asks: readonly Asked[]): Promise<LimitVerdict> {
  const rules = asks.reduce(
    (sum, { found }) => sum + (found.override === null ? found.limit.rules.length : 1),
    0,
  )
  if (rules > mostTakes) throw tooManyTogether(rules)
  for (const { found } of asks) {
    const refusal = desk.refuseBanned(found)
    if (refusal !== null) return refusal
  }
  return one<'takeAll'>(desk, { does: 'takeAll', takes: asks.map(partOf) }, isFast(asks))
}

/** What would be said; what an earlier take of the same call would take is not counted. */
async function peek(
  desk: Desk,
  { takes }: InputOf<typeof limitsOperations.peek>,
): Promise<{ verdicts: LimitVerdict[] }> {
  const found = takes.map((each) => desk.find(each, true))
  return { verdicts: found.map((each) => desk.refuseBanned(each) ?? desk.foresee(each)) }
}

async function reserve(desk: Desk, input: InputOf<typeof limitsOperations.reserve>) {
  const { id, leaseMs } = input
  const found = desk.find(input, true)
  const refusal = desk.refuseBanned(found)
  if (refusal !== null) return { ...refusal, id, endsAt: null }
  return one<'reserve'>(desk, { does: 'reserve', ...askOf(found), cost: found.cost, id, leaseMs })
}

async function lease(desk: Desk, input: InputOf<typeof limitsOperations.lease>) {
  const { units, id, limit, by } = input
  const found = desk.find({ limit, by, cost: 1 }, false)
  const refusal = desk.refuseBanned(found)
  if (refusal === null) return one<'lease'>(desk, { does: 'lease', ...askOf(found), units, id })
  return { granted: 0, until: refusal.resetsAt ?? 0, retryAfterMs: null, because: refusal.because }
}

async function refund(desk: Desk, input: InputOf<typeof limitsOperations.refund>) {
  const { cost, id, limit, by } = input
  const found = desk.find({ limit, by, cost: 1 }, false)
  return one<'refund'>(desk, { does: 'refund', ...askOf(found), cost, id })
}

/** Decides one command and, unless it is fast, waits until it is on disk. */
async function one<Does extends Command['does']>(desk: Desk, command: Untimed<Of<Does>>, fast = false) {
  const [answer] = await desk.decide<Of<Does>>([command], fast)
  return answer as NonNullable<typeof answer>
}

/** Binds what applications ask for. */
export function bindTakes(desk: Desk): readonly OperationBinding[] {
  return [
    bindValue(limitsOperations.take, (input) => take(desk, input)),
    bindValue(limitsOperations.peek, (input) => peek(desk, input)),
    bindValue(limitsOperations.reserve, (input) => reserve(desk, input)),
    bindValue(limitsOperations.commit, ({ id, cost }) =>
      one<'commit'>(desk, { does: 'commit', id, cost: cost ?? null }),
    ),
    bindValue(limitsOperations.cancel, ({ id }) => one<'cancel'>(desk, { does: 'cancel', id })),
    bindValue(limitsOperations.renew, (input) => one<'renew'>(desk, { does: 'renew', ...input })),
    bindValue(limitsOperations.refund, (input) => refund(desk, input)),
    bindValue(limitsOperations.lease, (input) => lease(desk, input)),
  ]
}
