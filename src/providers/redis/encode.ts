import { hash } from 'node:crypto'
import type { CounterAsk, CounterForm, CounterOutcome } from '../../capabilities/edge/ports.ts'
import { assert, unreachable } from '../../kernel/std/index.ts'

const US = 1000
/** A hundred years: with it, every sum of times stays below 2^53 microseconds. */
const longestRefillUs = 100 * 366 * 86_400_000 * US
/** 12 characters of base64url tell limits apart, 24 the keys of one (72 and 144 bits of SHA-256). */
const limitDigits = 12
const keyDigits = 24

/** Names the counters of one environment. */
export interface Naming {
  /** `holdfast:{arcade}:`; the braces are a hash tag, so that even a cluster keeps what is asked for together together. */
  readonly prefix: string
  /** Limits whose names have been hashed already; as many as there are limits. */
  readonly limits: Map<string, string>
}

const mostLimitNames = 10_000

/** Begins to name the counters of an environment. */
export function namingOf(environment: string): Naming {
  assert(/^[\w.-]{1,100}$/.test(environment), `"${environment}" cannot stand in the name of a counter`)
  return { prefix: `holdfast:{${environment}}:`, limits: new Map() }
}

/** The name of a counter: of bounded length and of harmless letters, whatever the key says. */
export function nameOf(naming: Naming, limit: string, key: string): string {
  let prefix = naming.limits.get(limit)
  if (prefix === undefined) {
    if (naming.limits.size >= mostLimitNames) naming.limits.clear()
    prefix = `${naming.prefix}${digest(limit, limitDigits)}:`
    naming.limits.set(limit, prefix)
  }
  return prefix + digest(key, keyDigits)
}

function digest(text: string, digits: number): string {
  return hash('sha256', text, 'base64url').slice(0, digits)
}

const encodedForms = new WeakMap<CounterForm, readonly (string | number)[]>()

/** Appends what the script `take` reads about one ask. */
export function encodeAsk(
  { form, cost, want, isDryRun, lease }: CounterAsk,
  onto: (string | number)[],
): void {
  let own = encodedForms.get(form)
  if (own === undefined) {
    own = encodeForm(form)
    encodedForms.set(form, own)
  }
  onto.push(letters[form.kind], isDryRun ? 1 : 0, cost, want)
  for (const number of own) onto.push(number)
  if (form.kind === 'concurrency') onto.push(lease)
}

const letters: Readonly<Record<CounterForm['kind'], string>> = {
  rate: 'r',
  window: 'w',
  calendar: 'd',
  concurrency: 'c',
}

function encodeForm(form: CounterForm): readonly number[] {
  switch (form.kind) {
    case 'rate':
      return encodeRate(form.count, form.periodMs * US, form.burst)
    case 'window':
      return [form.count, form.periodMs * US]
    case 'calendar':
      return [form.count, ...form.resetsMs.map((resetMs) => resetMs * US)]
    case 'concurrency':
      return [form.count, form.leaseMs * US]
    default:
      return unreachable(form)
  }
}

/** A unit costs whole microseconds and a rest of `rest / count` of one. */
function encodeRate(count: number, periodUs: number, burst: number): readonly number[] {
  const refillUs = (burst / count) * periodUs
  assert(refillUs <= longestRefillUs, 'a shared rate must fill up within a hundred years')
  return [Math.floor(periodUs / count), periodUs % count, count, burst]
}

/** How many numbers the script answers with for each ask. */
const stride = 4

/** Whether the script answered with what was to be expected. */
export function isReply(reply: unknown, asked: number): reply is readonly number[] {
  return (
    Array.isArray(reply) &&
    reply.length === stride * asked &&
    reply.every((value) => typeof value === 'number')
  )
}

/** What came of the ask with this index. */
export function decodeOutcome(reply: readonly number[], index: number): CounterOutcome {
  const at = stride * index
  const waitUs = reply[at] ?? 0
  return {
    waitMs: waitUs < 0 ? Number.POSITIVE_INFINITY : Math.ceil(waitUs / US),
    remaining: reply[at + 1] ?? 0,
    granted: reply[at + 2] ?? 0,
    resetMs: Math.ceil((reply[at + 3] ?? 0) / US),
  }
}
