import { parseLimit, printLimit, type LimitRule } from '../kernel/limit/index.ts'
import { closest, HoldfastError } from '../kernel/std/index.ts'
import type { By, LimitSetting, LimitSettings, WhenAway } from './port.ts'

/** A limit as it is kept here. */
export interface Entry {
  readonly name: string
  readonly rules: readonly LimitRule[]
  /** The rules in the notation. */
  readonly texts: readonly string[]
  /** The number of the first rule in the engine. */
  readonly first: number
  readonly whenAway: WhenAway
  /** All that its rules count by. */
  readonly dimensions: readonly string[]
  /** The most units that one take may ask for. */
  readonly mostCost: number
  /** One rule that is no dry run, neither a window nor what goes on at once: there is a quick way for it. */
  readonly isSimple: boolean
}

/** A take, looked up and checked. */
export interface Ask {
  readonly entry: Entry
  readonly by: By
  readonly cost: number
}

/** The limits by name. */
export interface Book {
  readonly entries: readonly Entry[]
  /** Looks a take up. Errors: `limit.unknown`, `limit.no-value`, `limit.invalid-cost`. */
  ask(limit: string, by: By, cost?: number): Ask
  /** Errors: `limit.unknown`. */
  entry(limit: string): Entry
}

const mostWindowCost = 16
/** Control takes no longer ones. */
const mostLetters = 200

/**
 * Reads the limits of an application.
 *
 * @throws HoldfastError `limit.unreadable` and whatever else the notation says
 */
export function openBook(settings: LimitSettings): Book {
  let first = 0
  const entries = Object.entries(settings).map(([name, setting]) => {
    const entry = readEntry(name, setting, first)
    first += entry.rules.length
    return entry
  })
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const find = (limit: string): Entry => byName.get(limit) ?? unknown(limit, byName)
  return {
    entries,
    entry: find,
    ask: (limit, by, cost = 1) => {
      const entry = find(limit)
      for (const dimension of entry.dimensions) checkValue(entry, dimension, by[dimension])
      checkCost(entry, cost)
      return { entry, by, cost }
    },
  }
}

function readEntry(name: string, setting: LimitSetting, first: number): Entry {
  const parts = typeof setting === 'string' || isList(setting) ? { limit: setting } : setting
  const written = typeof parts.limit === 'string' ? [parts.limit] : parts.limit
  if (written.length === 0) throw unreadable(name, 'it has no rule')
  const rules = written.map((text) => parseLimit(text))
  return {
    name,
    rules,
    texts: rules.map(printLimit),
    first,
    whenAway: parts.whenAway ?? 'local',
    dimensions: [...new Set(rules.flatMap(({ per }) => per))],
    mostCost: rules.some(({ kind }) => kind === 'window') ? mostWindowCost : Number.MAX_SAFE_INTEGER,
    isSimple:
      rules.length === 1 && rules.every(({ kind, dryRun }) => !dryRun && ['rate', 'calendar'].includes(kind)),
  }
}

/** Array.isArray does not tell read-only lists from other objects. */
function isList(setting: LimitSetting): setting is readonly string[] {
  return Array.isArray(setting)
}

/** The text of the account of a rule: different subjects never have the same. */
export function keyText({ per }: Pick<LimitRule, 'per'>, by: By): string {
  const [only] = per
  if (only === undefined) return ''
  if (per.length === 1) return String(by[only])
  return per
    .map((dimension) => String(by[dimension]))
    .map((value) => `${value.length}:${value}`)
    .join('')
}

/** A subject in words: `user 42 and guild 7`. */
export function saySubject(per: readonly string[], by: By): string {
  return per.map((dimension) => `${dimension.replace(':', ' ')} ${by[dimension]}`).join(' and ')
}

function checkCost({ name, mostCost }: Entry, cost: number): void {
  if (Number.isInteger(cost) && cost >= 1 && cost <= mostCost) return
  throw new HoldfastError({
    code: 'limit.invalid-cost',
    kind: 'user',
    message: `A take from ${name} cannot cost ${cost}.`,
    hint: `A cost is a whole number from 1 on${mostCost === mostWindowCost ? `, under an exact window up to ${mostWindowCost}` : ''}.`,
  })
}

function unknown(limit: string, byName: ReadonlyMap<string, Entry>): never {
  const meant = closest(limit, [...byName.keys()])
  throw new HoldfastError({
    code: 'limit.unknown',
    kind: 'user',
    message: `There is no limit "${limit}".`,
    hint: meant === undefined ? `There are: ${[...byName.keys()].join(', ')}.` : `Did you mean "${meant}"?`,
  })
}

function checkValue({ name, texts }: Entry, dimension: string, value: string | number | undefined): void {
  const letters = typeof value === 'string' ? value.length : value === undefined ? 0 : 1
  if (letters > 0 && letters <= mostLetters) return
  throw new HoldfastError({
    code: 'limit.no-value',
    kind: 'user',
    message: `The limit ${name} (${texts.join(', ')}) counts per ${dimension}, which the take does not name.`,
    hint: `Pass it along, in 1 to ${mostLetters} letters: { '${dimension}': ... }.`,
  })
}

function unreadable(name: string, fault: string): HoldfastError {
  return new HoldfastError({
    code: 'limit.unreadable',
    kind: 'user',
    message: `The limit ${name} cannot be kept: ${fault}.`,
  })
}
