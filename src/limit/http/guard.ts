import { systemClock, type Clock } from '../../kernel/std/index.ts'
import type { By, Held, Limits, RuleFacts, Verdict } from '../port.ts'
import { readRoute } from '../routes/pattern.ts'
import { createRouter } from '../routes/router.ts'
import { createClientReader, type ClientReader } from './address.ts'
import {
  draftFields,
  legacyFields,
  problemBody,
  waitSeconds,
  type NamedRules,
  type WriteFields,
} from './fields.ts'
import type { HttpOptions, HttpRequest, HttpRule, HttpRules, Outcome } from './port.ts'
import { createByReader, type ByReader } from './subject.ts'

/** Decides about requests; answers at once where it can. Undefined: no rule, or it is skipped. */
export type Guard<Request> = (of: HttpRequest<Request>) => Outcome | Promise<Outcome> | undefined

/** A rule, ready for requests. */
interface Route<Request> {
  readonly limits: readonly NamedRules[]
  readonly readBy: ByReader<Request>
  readonly cost: (request: Request) => number
  readonly skips: (request: Request) => boolean
  readonly isDry: boolean
  readonly writeFields: WriteFields
  /** Whether something goes on at once, so that the end of the answer matters. */
  readonly holds: boolean
  readonly isImmediate: boolean
}

/** The longest that an answer may take before what it holds is given back. */
const longestAnswerMs = 86_400_000
const noFields: WriteFields = () => []

/**
 * Builds the decision for requests out of rules; all frameworks share it.
 *
 * @throws HoldfastError `limit.unknown`, `limit.unreadable-route`, `limit.invalid-proxy`, `limit.no-reader`
 */
export function createGuard<Request>(
  limits: Limits,
  rules: HttpRules<Request>,
  options: HttpOptions<Request> = {},
): Guard<Request> {
  const clientOf = createClientReader(options.trustProxies ?? [])
  const find = createRouter(
    Object.entries(rules).map(([key, rule]) => [
      readRoute(key),
      openRoute(key, rule, { limits, options, clientOf }),
    ]),
  )
  const decide = createDecide(limits, options, systemClock)
  return (of) => {
    const route = find(of.method, of.target)
    if (route === null || route.skips(of.request)) return undefined
    return decide(route, of)
  }
}

interface Ground<Request> {
  readonly limits: Limits
  readonly options: HttpOptions<Request>
  readonly clientOf: ClientReader
}

function openRoute<Request>(key: string, rule: HttpRule<Request>, ground: Ground<Request>): Route<Request> {
  const { limits, options, clientOf } = ground
  const parts = typeof rule === 'string' || isList(rule) ? { limit: rule } : rule
  const names = typeof parts.limit === 'string' ? [parts.limit] : parts.limit
  const named = names.map((name) => ({ name, rules: limits.rules(name) }))
  const facts = named.flatMap((each) => each.rules)
  const { cost = 1 } = parts
  const holds = facts.some(({ kind }) => kind === 'concurrency')
  return {
    limits: named,
    readBy: createByReader({
      route: key,
      dimensions: dimensionsOf(facts),
      readers: { ...options.by, ...parts.by },
      clientOf,
    }),
    cost: typeof cost === 'number' ? () => cost : cost,
    skips: (request) => (options.skip?.(request) ?? false) || (parts.skip?.(request) ?? false),
    isDry: parts.dryRun ?? options.dryRun ?? false,
    writeFields: fieldsWriter(options.fields, named),
    holds,
    isImmediate: limits.isLocal && !holds && facts.every(({ queues }) => !queues),
  }
}

/** Array.isArray does not tell read-only lists from other objects. */
function isList<Request>(rule: HttpRule<Request>): rule is readonly string[] {
  return Array.isArray(rule)
}

function dimensionsOf(facts: readonly RuleFacts[]): readonly string[] {
  return [...new Set(facts.flatMap(({ per }) => per))]
}

function fieldsWriter(fields: HttpOptions<unknown>['fields'], named: readonly NamedRules[]): WriteFields {
  if (fields === 'off') return noFields
  return fields === 'legacy' ? legacyFields(named) : draftFields(named)
}

type Decide<Request> = (route: Route<Request>, of: HttpRequest<Request>) => Outcome | Promise<Outcome>

function createDecide<Request>(limits: Limits, options: HttpOptions<Request>, clock: Clock): Decide<Request> {
  const outcome = (route: Route<Request>, request: Request, { verdict, done }: Decided): Outcome => {
    if (!verdict.admitted || verdict.because !== '') options.onRefusal?.(verdict, request)
    const fields = route.writeFields(verdict, clock.now())
    if (verdict.admitted || route.isDry) return { fields, refusal: null, done }
    return {
      fields: [...fields, ['retry-after', String(waitSeconds(verdict.retryAfterMs))]],
      refusal: { status: 429, type: 'application/problem+json', body: problemBody(verdict) },
      done,
    }
  }
  return (route, of) => {
    const by = route.readBy(of)
    const cost = route.cost(of.request)
    if (!route.isImmediate)
      return decideLater(limits, route, { by, cost }).then((each) => outcome(route, of.request, each))
    const [first] = route.limits
    const verdict =
      route.limits.length === 1 && first !== undefined
        ? limits.takeNow(first.name, by, { cost })
        : limits.takeAllNow(route.limits.map(({ name }) => ({ limit: name, by, cost })))
    return outcome(route, of.request, { verdict, done: undefined })
  }
}

interface Decided {
  readonly verdict: Verdict
  readonly done: (() => void) | undefined
}

interface Wanted {
  readonly by: By
  readonly cost: number
}

async function decideLater<Request>(
  limits: Limits,
  route: Route<Request>,
  { by, cost }: Wanted,
): Promise<Decided> {
  const names = route.limits.map(({ name }) => name)
  if (route.holds) return await hold(limits, names, { by, cost })
  const verdict = await limits.takeAll(names.map((limit) => ({ limit, by, cost })))
  return { verdict, done: undefined }
}

/** Reserves one after the other; a refusal gives back those before. */
async function hold(limits: Limits, names: readonly string[], { by, cost }: Wanted): Promise<Decided> {
  const held: Held[] = []
  for (const name of names) {
    const one = await limits.reserve(name, by, { cost, leaseMs: longestAnswerMs })
    if (!one.admitted) {
      await Promise.all(held.map((before) => before.cancel()))
      return { verdict: one, done: undefined }
    }
    held.push(one)
  }
  const verdict = held.reduce((a, b) => (b.remaining < a.remaining ? b : a))
  return { verdict, done: () => void Promise.all(held.map((one) => one.commit())) }
}
