import { parseLimit, printLimit, type LimitRule } from '../../kernel/limit/index.ts'
import { asHoldfastError, HoldfastError } from '../../kernel/std/index.ts'
import type { LimitsConfig } from './config.ts'

/** A rule with its text in the notation, which names it in answers. */
export interface WrittenRule {
  readonly text: string
  readonly rule: LimitRule
}

/** An application limit as the environment file has it. */
export interface AppLimit {
  /** Without `app.`. */
  readonly name: string
  readonly rules: readonly WrittenRule[]
  /** Answered before it is on disk. */
  readonly fast: boolean
  /** What a take has to name: everything that a rule counts by. */
  readonly dimensions: readonly string[]
  /** One of its rules counts what goes on at once, so a take needs an end. */
  readonly needsEnd: boolean
}

/** The name under which a limit is known outside this capability. */
export function fullName(name: string): string {
  return `app.${name}`
}

/** Reads the section. Errors: `configuration.invalid`, `limit.unreadable`, `limit.unsupported`, with the path. */
export function compileLimits(section: LimitsConfig): readonly AppLimit[] {
  return Object.entries(section).map(([name, written]) => {
    const path = `limits.${name}`
    if (typeof written === 'string' || Array.isArray(written)) return appLimit(name, written, path)
    const { limit, fast } = written
    return { ...appLimit(name, limit, `${path}.limit`), fast }
  })
}

function appLimit(name: string, written: string | readonly string[], path: string): AppLimit {
  const rules =
    typeof written === 'string'
      ? [readRule(written, path)]
      : written.map((text, index) => readRule(text, `${path}.${index}`))
  refuseTwice(rules, path)
  return {
    name,
    rules,
    fast: false,
    dimensions: [...new Set(rules.flatMap(({ rule }) => rule.per))],
    needsEnd: rules.some(({ rule }) => rule.kind === 'concurrency'),
  }
}

/** A dry run shares its account with the same rule in earnest, so that it can go live without starting afresh. */
function refuseTwice(rules: readonly WrittenRule[], path: string): void {
  const bounds = rules.map(({ text }) => text.replace(/^dry run /, ''))
  const twice = bounds.find((text, index) => bounds.indexOf(text) !== index)
  if (twice !== undefined) throw invalid(path, `"${twice}" stands there twice`, 'take one of them out')
}

/** Reads a rule of an application limit. Errors: `configuration.invalid`, `limit.unreadable`, `limit.unsupported`. */
export function readRule(text: string, path: string): WrittenRule {
  const rule = parseAt(text, path)
  if (rule.queue !== null) {
    throw invalid(path, 'an application limit answers at once and does not queue', 'leave "queue ..." out')
  }
  const named = rule.per.find((dimension) => dimension.includes(':'))
  if (named !== undefined) {
    const [word = ''] = named.split(':')
    const hint = 'count by a word of the application\u2019s own, as "per user", and name it in "by"'
    throw invalid(path, `an application limit sees no ${word}`, hint)
  }
  return { text: printLimit(rule), rule }
}

function parseAt(text: string, path: string): LimitRule {
  try {
    return parseLimit(text)
  } catch (error) {
    const { code, message, hint } = asHoldfastError(error)
    throw new HoldfastError({ code, kind: 'user', message: `${path}: ${message}`, hint, path, cause: error })
  }
}

function invalid(path: string, message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `${path}: ${message}`,
    hint,
    path,
  })
}
