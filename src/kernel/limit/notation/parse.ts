import { HoldfastError } from '../../std/index.ts'
import { readDimension } from './dimension.ts'
import { calendarPeriodMs, readReset } from './resets.ts'
import { faultOf, printLimit, type LimitRule, type Queue } from './rule.ts'
import { unreadable } from './unreadable.ts'

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
    month: calendarPeriodMs.month,
  }),
)

const EXAMPLES = '"120/min per ip burst 60", "6 in any hour per channel" or "2 at once per user"'
const LONGEST_TEXT = 400
const CLAUSE = /(?:^| )(?=(?:per|burst|queue|resets)(?: |$))/

/**
 * Reads a limit as a person writes it: `120/min per ip burst 60`, `5/10s per user`, `6 in any hour per channel`,
 * `2 at once per user`, `1000/day resets 00:00 Europe/Vienna`, `dry run 30/min per header x-tenant`. What follows
 * the number and its period comes in any order. Case and extra blanks do not matter, but in names of cookies.
 *
 * @throws HoldfastError `limit.unreadable` (kind user; the hint shows what was probably meant) or
 *   `limit.unsupported` for budgets of money, which are not there yet.
 */
export function parseLimit(text: string): LimitRule {
  try {
    return read(text)
  } catch (error) {
    throw error instanceof HoldfastError && error.hint === undefined ? withHint(error, text) : error
  }
}

function read(text: string): LimitRule {
  if (text.length > LONGEST_TEXT) throw unreadable(`${text.slice(0, 40)}...`, 'it is too long')
  const { bound, clauses, dryRun } = split(normalise(text), text)
  refuseMoney(bound, text)
  const rule = { ...readRule(readBound(bound, text), clauses, text), dryRun }
  const fault = faultOf(rule) ?? (rule.kind === 'calendar' ? undefined : faultOfMonth(bound))
  if (fault !== undefined) throw unreadable(text, fault)
  return rule
}

function readRule(counted: Bound, clauses: Clauses, text: string): Omit<LimitRule, 'dryRun'> {
  const { per, burst, resets, queue } = clauses
  return {
    ...counted,
    kind: counted.kind === 'rate' && resets !== undefined ? 'calendar' : counted.kind,
    burst: burst === undefined ? counted.count : readBurst(burst, text),
    per: per === undefined ? [] : readPer(per, text),
    resets: resets === undefined ? null : readReset(resets, text),
    queue: queue === undefined ? null : readQueue(queue, text),
  }
}

/** One blank between words, and all in lower case but the names of cookies, whose case matters. */
function normalise(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, ' ')
  return words.replaceAll(/([ ,]cookie[ :])([^ ,]+)|\S/gi, (all, before?: string, name?: string) =>
    before === undefined || name === undefined ? all.toLowerCase() : before.toLowerCase() + name,
  )
}

function refuseMoney(bound: string, text: string): void {
  if (!/[€$£¥]|\b(?:eur|usd|gbp|chf)\b/.test(bound)) return
  throw new HoldfastError({
    code: 'limit.unsupported',
    kind: 'user',
    message: `The limit "${text}" is a budget of money; this version does not have that kind yet.`,
    hint: 'Limit how many there may be ("1000/month resets 1 00:00") until then.',
  })
}

type Clauses = Partial<Record<string, string>>

interface Parts {
  readonly bound: string
  readonly clauses: Clauses
  readonly dryRun: boolean
}

/** Cuts off `dry run` and what follows the bound: `per ...`, `burst ...`, `resets ...`, `queue ...`, each at most once. */
function split(words: string, text: string): Parts {
  const match = /^(dry[ -]run:?(?: |$))?(.*)$/.exec(words)
  const [bound = '', ...written] = (match?.[2] ?? '').split(CLAUSE)
  const clauses: Record<string, string> = {}
  for (const clause of written) {
    const [keyword = ''] = clause.split(' ', 1)
    if (clauses[keyword] !== undefined) throw unreadable(text, faultOfTwice(keyword))
    clauses[keyword] = clause.slice(keyword.length).trim()
  }
  return { bound, clauses, dryRun: match?.[1] !== undefined }
}

function faultOfTwice(keyword: string): string {
  const instead = keyword === 'per' ? '; join with "and", as "per ip and route"' : ''
  return `"${keyword}" stands in it twice${instead}`
}

function faultOfMonth(bound: string): string | undefined {
  return /\bmonths?$/.test(bound) ? 'months differ in length, so it must say when it resets' : undefined
}

function readPer(list: string, text: string): readonly string[] {
  if (list === '') throw unreadable(text, 'nothing follows "per"')
  return list.split(/ and | ?, ?/).map(readDimension)
}

function readBurst(written: string, text: string): number {
  return readNumber(written.replace(/^of /, ''), { text, what: 'the burst' })
}

function readQueue(written: string, text: string): Queue {
  const match = /^(\S+)(?: places?)? for (?:at most |up to )?(.+)$/.exec(written)
  if (match === null) throw unreadable(text, `"queue ${written}" is no queue (write "queue 20 for 2s")`)
  return {
    places: readNumber(match[1], { text, what: 'the number of places' }),
    patienceMs: readPeriod(match[2] ?? '', text),
  }
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
  [/^(\d+) in any (day|week|month)\b(?=.* resets\b)/, '$1/$2'],
  [/^(\d+) in (?:an? |the last |every |each )?(\d* ?[a-z]+)/, '$1 in any $2'],
  [/^(\d+\/[a-z]+)\/([a-z]+)/, '$1 per $2'],
  [/ (?:for each|for every|each|by) /, ' per '],
  [/^(\d+)$/, '$1/min'],
  [/ resets (?:on |at )?(?:midnight|daily)/, ' resets 00:00'],
  [/ resets (?:on |at )/, ' resets '],
  [/^(?!.* resets )(\d+\/month\b.*)$/, '$1 resets 1 00:00'],
  [/(\/week\b.* resets) (\d+:)/, '$1 mon $2'],
  [/(\/month\b.* resets) (\d+:)/, '$1 1 $2'],
]

/** What was probably meant, in our notation; undefined when no reading of it would be accepted. */
function guess(text: string): string | undefined {
  const words = normalise(text.slice(0, LONGEST_TEXT))
  const meant = HABITS.reduce((before, [habit, here]) => before.replace(habit, here), words)
  try {
    return printLimit(read(meant))
  } catch {
    return undefined
  }
}
