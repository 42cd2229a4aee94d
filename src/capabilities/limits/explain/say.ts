import type { Explanation, RefusalSpell } from '../../../contracts/limits/explain.ts'
import { endOf } from './holdings.ts'
import type { SaidMinute } from './spells.ts'

interface SayGround {
  readonly nowMs: number
  /** IANA name. */
  readonly zone: string
  /** Everything that was said of the time around. */
  readonly minutes: readonly SaidMinute[]
}

type Answer = Omit<Explanation, 'says'>

/** A time of day in a zone; with its date when it is not today. */
function timeSayer({ nowMs, zone }: SayGround): (at: number) => string {
  const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone } as const
  const time = new Intl.DateTimeFormat('en-GB', parts)
  const date = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: zone })
  return (at) =>
    date.format(at) === date.format(nowMs) ? time.format(at) : `${date.format(at)} ${time.format(at)}`
}

const times = (count: number): string => (count === 1 ? 'once' : `${count.toLocaleString('en-GB')} times`)

/** The answer in a sentence or two. */
export function sayExplanation(subject: string, answer: Answer, ground: SayGround): string {
  const say = timeSayer(ground)
  const [spell, ...others] = answer.spells
  const sentences =
    spell === undefined
      ? sayNothing(subject, answer, { ...ground, say })
      : [saySpell(subject, spell, say), ...sayShared(spell), ...sayOthers(others)]
  return [...sentences, ...sayGaps(answer, ground), ...sayHoldings(subject, answer, { ...ground, say })].join(
    ' ',
  )
}

function sayGaps({ gaps }: Answer, { zone }: SayGround): readonly string[] {
  if (gaps.length === 0) return []
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: zone })
  const spans = gaps.map(({ from, until }) => `between ${time.format(from)} and ${time.format(until)}`)
  return [`Of the edge nothing is known ${spans.join(', and ')}.`]
}

function saySpell(subject: string, spell: RefusalSpell, say: (at: number) => string): string {
  const { limit, rule, from, until, refused, wouldRefuse } = spell
  const who = spell.subject === subject ? subject : `${subject} (as ${spell.subject})`
  const did = refused > 0 ? `was refused ${times(refused)}` : `would have been refused ${times(wouldRefuse)}`
  const took = sayUnits(refused > 0 ? spell.units?.refused : spell.units?.wouldRefuse)
  const by = rule === '' ? 'by a ban' : `by ${withoutDoor(limit)} (${rule})`
  const span = `between ${say(from)} and ${say(until)}`
  return `${who} ${did}${took} ${by} ${span}${sayAdmitted(spell)}${sayShare(spell)}${sayNow(spell)}.`
}

const sayUnits = (units: number | undefined): string =>
  units === undefined ? '' : ` (${units.toLocaleString('en-GB')} units)`

/** Where takes cost more than one, how often says little of what was used. */
function sayAdmitted({ units, admitted }: RefusalSpell): string {
  if (units === undefined || admitted === 0) return ''
  return `; admitted meanwhile ${times(admitted)}${sayUnits(units.admitted)}`
}

const withoutDoor = (limit: string): string => limit.replace(/^(?:app|edge\.route)\./, '')

function sayShare({ routes }: RefusalSpell): string {
  const [top] = routes
  const total = routes.reduce((sum, { admitted, refused }) => sum + admitted + refused, 0)
  if (top === undefined || routes.length < 2) return ''
  return `; ${Math.round((100 * (top.admitted + top.refused)) / total)} % of its use was ${top.route}`
}

/** What became of the limit since. */
function sayNow({ rule, allows, ended }: RefusalSpell): string {
  const goesOn = ended ? '' : ', and it may go on'
  if (rule === '' || allows.includes(rule)) return goesOn
  return `${goesOn}; today the limit ${allows.length === 0 ? 'is no longer there' : `is ${allows.join(' and ')}`}`
}

/** How far beyond the rule edges together may have gone. */
function sayShared({ shared }: Pick<RefusalSpell, 'shared'>): readonly string[] {
  return shared === undefined ? [] : [`${shared.replace(/\.$/, '')}.`]
}

function sayOthers(others: readonly RefusalSpell[]): readonly string[] {
  if (others.length === 0) return []
  const limits = new Set(others.map(({ limit }) => withoutDoor(limit)))
  const named = [...limits].slice(0, 3).join(', ')
  const more = limits.size > 3 ? ` and ${limits.size - 3} more` : ''
  return [
    `There ${others.length === 1 ? 'is one more such time' : `are ${others.length} more such times`} around it (${named}${more}).`,
  ]
}

type Said = SayGround & { readonly say: (at: number) => string }

function sayNothing(subject: string, answer: Answer, { say, minutes }: Said): readonly string[] {
  const { from, until, reachesBackTo, subjects } = answer
  const asked = [...new Set([subject, ...subjects])].join(' or ')
  const nothing = `Nothing says that a limit refused ${asked} between ${say(from)} and ${say(until)}.`
  const seen = new Set(minutes.flatMap(({ entries }) => entries.map((entry) => entry.subject))).size
  const looked =
    seen === 0
      ? 'Nobody else was refused then either'
      : `${seen === 1 ? 'One other subject was' : `${seen} others were`} refused then; of each minute the 50 that were refused most are known`
  const reach =
    reachesBackTo === null
      ? 'the timeline is empty'
      : `the timeline reaches back to ${say(reachesBackTo)}${reachesBackTo > from ? ', which is later' : ''}`
  return [nothing, `${looked}; ${reach}.`, 'A refusal is known here a minute or two after it.']
}

function sayHoldings(subject: string, { bans, overrides, at }: Answer, { say }: Said): readonly string[] {
  const heldThen = bans.find((each) => each.since <= at && endOf(each) > at)
  const ban = bans.find(({ holds }) => holds) ?? heldThen
  const override = overrides.find(({ holds }) => holds)
  const who = (said: string): string => (said === subject ? 'It' : said)
  return [
    ...(ban === undefined
      ? []
      : [
          `${who(ban.subject)} ${ban.holds ? 'is banned' : 'was banned'} until ${say(endOf(ban))}: ${withoutDot(ban.because)}.`,
        ]),
    ...(override === undefined
      ? []
      : [
          `For ${who(override.subject).replace('It', 'it')} ${withoutDoor(override.limit)} is ${override.rule} until ${say(override.until)}: ${withoutDot(override.because)}.`,
        ]),
  ]
}

const withoutDot = (text: string): string => text.replace(/\.$/, '')
