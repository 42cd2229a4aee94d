import { HoldfastError } from '../../std/index.ts'
import { faultOf, printLimit, type LimitRule } from './rule.ts'

const UNIT_MS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ms: 1,
    msec: 1,
    millisecond: 1,
    s: 1000,
    sec: 1000,
    second: 1000,
    m: 60_000,
    min: 60_000,
    minute: 60_000,
    h: 3_600_000,
    hr: 3_600_000,
    hour: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
    w: 604_800_000,
    week: 604_800_000,
  }),
)

const EXAMPLES = '"120/min per ip burst 60", "6 in any hour per channel" or "2 at once per user"'
const LONGEST_TEXT = 200

/**
 * Reads a limit as a person writes it: `120/min per ip burst 60`, `5/10s per user`, `6 in any hour per channel`,
 * `2 at once per user`, `dry run 30/min per ip`. Case and extra blanks do not matter.
 *
 * @throws HoldfastError `limit.unreadable` (kind user; the hint shows what was probably meant) or
 *   `limit.unsupported` for calendar limits (`resets ...`) and budgets of money, which are not there yet.
 */
export function parseLimit(text: string): LimitRule {
  try {
    return read(text)
  } catch (error) {
    throw error instanceof HoldfastError && error.code === 'limit.unreadable' ? withHint(error, text) : error
  }
}

function read(text: string): LimitRule {
  const words = normalise(text)
  refuseUnsupported(words, text)
  const { bound, clauses, dryRun } = split(words, text)
  const counted = readBound(bound, text)
  const rule = { ...counted, burst: clauses.burst ?? counted.count, per: clauses.per, dryRun }
  const fault = faultOf(rule)
  if (fault !== undefined) throw unreadable(text, fault)
  return rule
}

function normalise(text: string): string {
  if (text.length > LONGEST_TEXT) throw unreadable(`${text.slice(0, 40)}...`, 'it is too long')
  return text.trim().toLowerCase().replaceAll(/\s+/g, ' ')
}

function refuseUnsupported(words: string, text: string): void {
  const kind = /\bresets\b/.test(words)
    ? 'a calendar limit (one that resets at a time of day)'
    : /[€$£¥]|\b(?:eur|usd|gbp|chf)\b/.test(words)
      ? 'a budget of money'
      : undefined
  if (kind === undefined) return
  throw new HoldfastError({
    code: 'limit.unsupported',
    kind: 'user',
    message: `The limit "${text}" is ${kind}; this version does not have that kind yet.`,
    hint: 'Use a rate ("1000/day per route") or an exact window ("1000 in any day per route") until then.',
  })
}

interface Clauses {
  readonly per: readonly string[]
  readonly burst: number | undefined
}

interface Parts {
  readonly bound: string
  readonly clauses: Clauses
  readonly dryRun: boolean
}

/** Cuts `dry run`, `per ...` and `burst ...` off; the last two come in either order. */
function split(words: string, text: string): Parts {
  const match = /^(dry[ -]run:? )?(.*?)((?: (?:per|burst)\b.*)?)$/.exec(words)
  const tail = match?.[3] ?? ''
  return {
    bound: match?.[2] ?? '',
    clauses: readClauses(tail.trim(), text),
    dryRun: match?.[1] !== undefined,
  }
}

function readClauses(tail: string, text: string): Clauses {
  let per: readonly string[] | undefined
  let burst: number | undefined
  for (const clause of tail === '' ? [] : tail.split(/ (?=(?:per|burst)\b)/)) {
    if (clause.startsWith('per')) {
      if (per !== undefined)
        throw unreadable(text, '"per" stands in it twice; join with "and", as "per ip and route"')
      per = readPer(clause, text)
    } else {
      if (burst !== undefined) throw unreadable(text, '"burst" stands in it twice')
      burst = readBurst(clause, text)
    }
  }
  return { per: per ?? [], burst }
}

function readPer(clause: string, text: string): readonly string[] {
  const list = clause.slice('per'.length).trim()
  const per = list === '' ? [] : list.split(/ and | ?, ?/)
  const odd = per.find((dimension) => !/^[a-z][a-z0-9-]*$/.test(dimension))
  if (per.length === 0) throw unreadable(text, 'nothing follows "per"')
  if (odd !== undefined) throw unreadable(text, `"${odd}" is no name of something to count by`)
  return per
}

function readBurst(clause: string, text: string): number {
  const match = /^burst (?:of )?(.+)$/.exec(clause)
  return readNumber(match?.[1] ?? '', { text, what: 'the burst' })
}

type Bound = Pick<LimitRule, 'kind' | 'count' | 'periodMs'>

function readBound(bound: string, text: string): Bound {
  const atOnce = /^(\S+) (?:at once|at a time|concurrent|simultaneous(?:ly)?)$/.exec(bound)
  if (atOnce !== null) {
    return { kind: 'concurrency', count: readNumber(atOnce[1], { text, what: 'the number' }), periodMs: 0 }
  }
  const window = /^(.+?) in any (.+)$/.exec(bound)
  if (window !== null) return counted('window', { count: window[1], period: window[2] }, text)
  const rate = /^([^/]+)\/([^/]+)$/.exec(bound)
  if (rate !== null) return counted('rate', { count: rate[1], period: rate[2] }, text)
  throw unreadable(text, boundFault(bound))
}

interface Counted {
  readonly count: string | undefined
  readonly period: string | undefined
}

function counted(kind: 'rate' | 'window', written: Counted, text: string): Bound {
  return {
    kind,
    count: readNumber(written.count, { text, what: 'the number' }),
    periodMs: readPeriod(written.period ?? '', text),
  }
}

function boundFault(bound: string): string {
  if (bound === '') return 'it says no number and no period'
  if (/^[\d_,]+$/.test(bound)) return `"${bound}" lacks a period`
  if (bound.split('/').length > 2) return 'it has more than one "/"'
  return `"${bound}" is neither a rate, nor a window, nor a number at once`
}

function readNumber(written: string | undefined, where: { text: string; what: string }): number {
  const digits = (written ?? '').trim().replaceAll(/(?<=\d)[_,](?=\d{3}\b)/g, '')
  if (/^\d{1,15}$/.test(digits)) return Number(digits)
  if (/^-?\d+(\.\d+)?$/.test(digits)) {
    throw unreadable(where.text, `${where.what} must be a whole number from 1 on, not ${digits.slice(0, 20)}`)
  }
  throw unreadable(where.text, `${where.what} "${(written ?? '').trim()}" is no number`)
}

function readPeriod(written: string, text: string): number {
  const match = /^(\d{0,12}(?:\.\d{1,6})?) ?([a-z]+)$/.exec(written.trim())
  const unitMs = match === null ? undefined : unitOf(match[2] ?? '')
  if (match === null || unitMs === undefined) {
    throw unreadable(
      text,
      `"${written.trim()}" is no period (use ms, s, min, hour, day or week, as in "10s")`,
    )
  }
  const amount = match[1] === '' ? 1 : Number(match[1])
  return Math.round(amount * unitMs * 1e6) / 1e6
}

function unitOf(word: string): number | undefined {
  return UNIT_MS.get(word) ?? UNIT_MS.get(word.replace(/s$/, ''))
}

function unreadable(text: string, fault: string): HoldfastError {
  const message = `The limit "${text}" cannot be read: ${fault}.`
  return new HoldfastError({ code: 'limit.unreadable', kind: 'user', message })
}

function withHint(error: HoldfastError, text: string): HoldfastError {
  const meant = guess(text)
  const hint = meant === undefined ? `Write it as ${EXAMPLES}.` : `Did you mean "${meant}"?`
  return new HoldfastError({ code: error.code, kind: error.kind, message: error.message, hint })
}

/** Ways in which people write a limit elsewhere, and how it is written here. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/^(\d+) ?r\/(s|m)\b/, '$1/$2'],
  [/^(\d+) ?(?:rps|qps|hz)\b/, '$1/s'],
  [/^(\d+) ?rpm\b/, '$1/min'],
  [/^(\d+) ?(?:req|request|call|hit|message|time|email|mail)s?\b/, '$1'],
  [/^(\d+)x? ?(?:an?|per|every|each|\/) ?(\d* ?[a-z]+)/, '$1/$2'],
  [/^(\d+) (?:in parallel|parallel|max|concurrently|at the same time|at one time)\b/, '$1 at once'],
  [/^(\d+) in (?:an? |the last |every |each )?(\d* ?[a-z]+)/, '$1 in any $2'],
  [/^(\d+\/[a-z]+)\/([a-z]+)/, '$1 per $2'],
  [/ (?:for each|for every|each|by) /, ' per '],
  [/^(\d+)$/, '$1/min'],
]

/** What was probably meant, in our notation; undefined when no reading of it would be accepted. */
function guess(text: string): string | undefined {
  const words = text.slice(0, LONGEST_TEXT).trim().toLowerCase().replaceAll(/\s+/g, ' ')
  const meant = HABITS.reduce((before, [habit, here]) => before.replace(habit, here), words)
  try {
    return printLimit(read(meant))
  } catch {
    return undefined
  }
}
