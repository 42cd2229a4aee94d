import { edgeFacts } from '../../contracts/edge.ts'
import type { EdgePolicy } from '../../contracts/edge-policy.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { asHoldfastError, plainError } from '../../kernel/std/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { changesBans } from './bans.ts'
import { rulesHash } from './policy/index.ts'
import type { EdgePorts } from './ports.ts'
import type { EdgeView } from './view.ts'

/** What pushing policies works with. */
export interface PushGround {
  readonly context: Context
  readonly ports: EdgePorts
  readonly view: View<EdgeView>
  /** The policy for the upstreams as they are now. */
  readonly compile: () => EdgePolicy
  readonly signal: AbortSignal
}

const retryMs = 500
/** The edge may have been replaced by one that knows nothing. */
const lookMs = 5000
/** How long it may take to learn which replicas run; until then the edge keeps what it has. */
const patienceMs = 10_000

/** Keeps the edge on the policy of the environment file and the replicas that run. Ends with the signal. */
export async function pushPolicies(ground: PushGround): Promise<void> {
  const { context, ports, signal } = ground
  const wake = createWake()
  let isKnown = false
  ports.upstreams.subscribe(() => {
    isKnown = true
    wake.up()
  })
  const stopListening = context.timeline.onAppended((facts) => {
    if (facts.some(({ kind }) => changesBans(kind))) wake.up()
  })
  const startedMs = context.clock.monotonicMs()
  const refusals = new Set<string>()
  while (!signal.aborted) {
    const isLate = context.clock.monotonicMs() - startedMs > patienceMs
    const settled = await push(ground, { isKnown, isLate, refusals }).catch((error: unknown) => {
      context.log.warn({ error: plainError(error).message }, 'a policy was not recorded; it is tried again')
      return false
    })
    await wake.wait(context, settled ? lookMs : retryMs, signal)
  }
  stopListening()
}

interface Knowledge {
  readonly isKnown: boolean
  readonly isLate: boolean
  /** What was said to be refused already; one policy at a time. */
  readonly refusals: Set<string>
}

/** One look; false when it has to be repeated soon. Errors: those of the timeline. */
async function push(ground: PushGround, { isKnown, isLate, refusals }: Knowledge): Promise<boolean> {
  const { ports } = ground
  const policy = ground.compile()
  try {
    const { revision } = await ports.dataPlane.state()
    const mayPush = isKnown || (isLate && revision === null)
    if (!mayPush) return false
    if (revision !== policy.revision) await ports.dataPlane.apply(policy)
  } catch (error) {
    const { code, message } = asHoldfastError(error)
    if (code === 'edge.unreachable') return false
    await sayRefused(ground, policy, { message, refusals })
    return true
  }
  refusals.clear()
  ports.upstreams.sentTo(new Set(policy.upstreams.flatMap(({ targets }) => targets.map(({ id }) => id))))
  await sayAccepted(ground, policy)
  return true
}

/** A policy that is refused is pushed again and again, and said once. */
async function sayRefused(
  { context }: PushGround,
  policy: EdgePolicy,
  { message, refusals }: { readonly message: string; readonly refusals: Set<string> },
): Promise<void> {
  const key = `${policy.revision} ${message}`
  if (refusals.has(key)) return
  context.log.error({ error: message }, 'the edge refused a policy')
  await context.record(edgeFacts.policyRefused, { rules: rulesHash(policy), message })
  refusals.clear()
  refusals.add(key)
}

/** Replicas come and go; only a change of the rules is worth a fact. */
async function sayAccepted({ context, view }: PushGround, policy: EdgePolicy): Promise<void> {
  const rules = rulesHash(policy)
  if (view.state.rules === rules) return
  const data = { rules, routes: policy.routes.length, limits: policy.limits.length }
  await context.record(edgeFacts.policyAccepted, data)
}

interface Wake {
  up(): void
  wait(context: Context, mostMs: number, signal: AbortSignal): Promise<void>
}

/** A wait that can be cut short; being woken in advance counts. */
function createWake(): Wake {
  let awake = new AbortController()
  return {
    up: () => awake.abort(),
    wait: async ({ clock }, mostMs, signal) => {
      await clock.sleep(mostMs, AbortSignal.any([signal, awake.signal])).catch(() => undefined)
      awake = new AbortController()
    },
  }
}
