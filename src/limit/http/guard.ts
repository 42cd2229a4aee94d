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
  type SetField,
  type WriteFields,
} from './fields.ts'
import type { Door, HttpOptions, HttpRule, HttpRules } from './port.ts'
import { createByReader, type ByReader } from './subject.ts'

/**
 * Decides about requests, at once where it can, and writes the fields; what it refuses it answers. True: the request goes
 * on.
 */
export type Guard<Request, Reply> = (request: Request, reply: Reply) => boolean | Promise<boolean>

/** A rule, ready for requests. */
interface Route<Request, Reply> {
  readonly limits: readonly NamedRules[]
  /** The limit, if it is a single one. */
  readonly only: string | undefined
  readonly readBy: ByReader<Request>
  readonly cost: number | ((request: Request) => number)
  /** Undefined: none is. */
  readonly skips: ((request: Request) => boolean) | undefined
  readonly isDry: boolean
  readonly writeFields: WriteFields<Reply>
  /** Whether something goes on at once, so that the end of the answer matters. */
  readonly holds: boolean
  readonly isImmediate: boolean
}

/** The longest that an answer may take before what it holds is given back. */
const longestAnswerMs = 86_400_000

interface Ground<Request, Reply> {
  readonly limits: Limits
  readonly door: Door<Request, Reply>
  readonly options: HttpOptions<Request>
}

/**
 * Builds the decision for requests out of rules; all frameworks share it.
 *
 * @throws HoldfastError `limit.unknown`, `limit.unreadable-route`, `limit.invalid-proxy`, `limit.no-reader`
 */
export function createGuard<Request, Reply>(
  rules: HttpRules<Request>,
  ground: Ground<Request, Reply>,
): Guard<Request, Reply> {
  const { limits, door, options } = ground
  const clientOf = createClientReader(door, options.trustProxies ?? [])
  const find = createRouter(
    Object.entries(rules).map(([key, rule]) => [
      readRoute(key),
      openRoute(key, rule, { ...ground, clientOf }),
    ]),
  )
  const finish = createFinish(ground)
  return (request, reply) => {
    const route = find(door.method(request), door.target(request))
    if (route === null || route.skips?.(request)) return true
    const by = route.readBy(request)
    const cost = typeof route.cost === 'number' ? route.cost : route.cost(request)
    if (!route.isImmediate) {
      return decideLater(limits, route, { by, cost }).then(({ verdict, done }) => {
        if (done !== undefined) door.atEnd(reply, done)
        route.writeFields(reply, verdict)
        return finish(route, { request, reply }, verdict)
      })
    }
    const verdict =
      route.only === undefined
        ? limits.takeAllNow(route.limits.map(({ name }) => ({ limit: name, by, cost })))
        : limits.takeNow(route.only, by, { cost })
    route.writeFields(reply, verdict)
    return verdict.admitted && verdict.because === '' ? true : finish(route, { request, reply }, verdict)
  }
}

function openRoute<Request, Reply>(
  key: string,
  rule: HttpRule<Request>,
  { limits, door, options, clientOf }: Ground<Request, Reply> & { readonly clientOf: ClientReader<Request> },
): Route<Request, Reply> {
  const parts = typeof rule === 'string' || isList(rule) ? { limit: rule } : rule
  const names = typeof parts.limit === 'string' ? [parts.limit] : parts.limit
  const named = names.map((name) => ({ name, rules: limits.rules(name) }))
  const facts = named.flatMap((each) => each.rules)
  const holds = facts.some(({ kind }) => kind === 'concurrency')
  return {
    limits: named,
    only: names.length === 1 ? names[0] : undefined,
    readBy: createByReader({
      route: key,
      dimensions: dimensionsOf(facts),
      readers: { ...options.by, ...parts.by },
      reads: door,
      clientOf,
    }),
    cost: parts.cost ?? 1,
    skips: eitherOf(options.skip, parts.skip),
    isDry: parts.dryRun ?? options.dryRun ?? false,
    writeFields: fieldsWriter(options.fields, named, door.set),
    holds,
    isImmediate: limits.isLocal && !holds && facts.every(({ queues }) => !queues),
  }
}

type Skip<Request> = ((request: Request) => boolean) | undefined

function eitherOf<Request>(one: Skip<Request>, other: Skip<Request>): Skip<Request> {
  if (one === undefined || other === undefined) return one ?? other
  return (request) => one(request) || other(request)
}

/** Array.isArray does not tell read-only lists from other objects. */
function isList<Request>(rule: HttpRule<Request>): rule is readonly string[] {
  return Array.isArray(rule)
}

function dimensionsOf(facts: readonly RuleFacts[]): readonly string[] {
  return [...new Set(facts.flatMap(({ per }) => per))]
}

function fieldsWriter<Reply>(
  fields: HttpOptions<unknown>['fields'],
  named: readonly NamedRules[],
  set: SetField<Reply>,
): WriteFields<Reply> {
  if (fields === 'off') return () => undefined
  return fields === 'legacy' ? legacyFields(named, set) : draftFields(named, set)
}

interface Exchange<Request, Reply> {
  readonly request: Request
  readonly reply: Reply
}

/** What is left to do about a verdict that is more than a plain yes. */
type Finish<Request, Reply> = (
  route: Route<Request, Reply>,
  exchange: Exchange<Request, Reply>,
  verdict: Verdict,
) => boolean

function createFinish<Request, Reply>({ door, options }: Ground<Request, Reply>): Finish<Request, Reply> {
  return ({ isDry }, { request, reply }, verdict) => {
    if (!verdict.admitted || verdict.because !== '') options.onRefusal?.(verdict, request)
    if (verdict.admitted || isDry) return true
    door.set(reply, 'retry-after', String(waitSeconds(verdict.retryAfterMs)))
    door.refuse(reply, { status: 429, type: 'application/problem+json', body: problemBody(verdict) })
    return false
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

async function decideLater<Request, Reply>(
  limits: Limits,
  route: Route<Request, Reply>,
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
