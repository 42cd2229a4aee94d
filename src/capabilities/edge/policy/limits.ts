import type { EdgeLimit } from '../../../contracts/edge-policy.ts'
import { mostWindowCost, parseLimit, printLimit, type LimitRule } from '../../../kernel/limit/index.ts'
import { asHoldfastError, HoldfastError } from '../../../kernel/std/index.ts'
import { faultOfDimension } from '../pipeline/index.ts'
import { invalid } from './invalid.ts'

/** A limit of the file that is to be read. */
export interface WrittenLimit {
  /** Of the key in the environment file. */
  readonly path: string
  /** Under which the edge counts it. */
  readonly name: string
  readonly written: string | readonly string[]
  /** Units of one request; default 1. */
  readonly cost?: number
  /** Whether it may hold requests back, instead of refusing them at once; default no. */
  readonly mayQueue?: boolean
  /** Whether it may say how much goes on at once; default no. */
  readonly mayLease?: boolean
}

/** The limits of a policy, in the order in which they were read. */
export class LimitBook {
  readonly limits: EdgeLimit[] = []

  /** Reads the rules of one key and answers with their indexes. Errors: those of `compilePolicy`. */
  add(limit: WrittenLimit): number[] {
    const rules = readRules(limit)
    const first = this.limits.length
    this.limits.push(...rules.map((rule) => ({ name: limit.name, rule })))
    return rules.map((_, index) => first + index)
  }
}

function readRules(limit: WrittenLimit): readonly string[] {
  const { path, written } = limit
  const texts = typeof written === 'string' ? [written] : written
  const rules = texts.map((text, index) =>
    readRule(typeof written === 'string' ? path : `${path}.${index}`, text, limit),
  )
  if (rules.every(({ dryRun }) => dryRun)) {
    throw invalid(path, 'a dry run refuses nothing, so nothing bounds this', 'add a limit that is no dry run')
  }
  const printed = rules.map(printLimit)
  // A dry run shares its account with the same rule in earnest, so that it can go live without starting afresh.
  const bounds = printed.map((rule) => rule.replace(/^dry run /, ''))
  const twice = bounds.find((rule, index) => bounds.indexOf(rule) !== index)
  if (twice !== undefined) throw invalid(path, `"${twice}" stands there twice`, 'take one of them out')
  return printed
}

function readRule(path: string, text: string, limit: WrittenLimit): LimitRule {
  const rule = parseOr(path, text)
  for (const dimension of rule.per) {
    const fault = faultOfDimension(dimension)
    if (fault !== undefined) throw invalid(path, fault.message, fault.hint)
  }
  checkCost(path, rule, limit.cost ?? 1)
  if (rule.queue !== null && limit.mayQueue !== true) {
    throw invalid(path, 'nothing waits here, so there is no queue', 'take "queue ..." out')
  }
  if (rule.kind === 'concurrency' && limit.mayLease !== true) {
    throw invalid(
      path,
      'nothing here goes on for a while',
      'write how many in which time, as "60/min per ip"',
    )
  }
  return rule
}

function parseOr(path: string, text: string): LimitRule {
  try {
    return parseLimit(text)
  } catch (error) {
    const { code, message, hint } = asHoldfastError(error)
    throw new HoldfastError({ code, kind: 'user', message: `${path}: ${message}`, hint, path, cause: error })
  }
}

/** What costs more than a rule ever gives would be refused for good. */
function checkCost(path: string, rule: LimitRule, cost: number): void {
  if (rule.kind === 'concurrency' || cost === 1) return
  const most = rule.kind === 'window' ? Math.min(rule.count, mostWindowCost) : rule.burst
  if (cost <= most) return
  const hint =
    rule.kind === 'window'
      ? `a window gives at most ${mostWindowCost} at once; use a rate with a burst`
      : `give it "burst ${cost}", or a lower cost`
  throw invalid(path, `a request costs ${cost}, and this limit never gives more than ${most} at once`, hint)
}
