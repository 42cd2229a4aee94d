import { edgeFacts } from '../../contracts/edge.ts'
import { limitsFacts } from '../../contracts/limits.ts'
import type { EdgeNote, EdgeReport } from '../../contracts/edge-policy.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { calm, decideSayings, type LimitSaying, type Ongoing, type OriginSaying } from './decide.ts'
import type { Saying, Spell } from './decide.ts'
import { decideLookAlike, nothingSeen } from './look-alike.ts'
import { lastRecorded, recordReport, refusedSince } from './measures.ts'
import type { DataPlane } from './ports.ts'
import { MinuteTally, type RefusedMinute, type SpanTally } from './offenders/index.ts'
import type { EdgeView } from './view.ts'

/** What following the edge's reports works with. */
export interface FollowGround {
  readonly context: Context
  readonly dataPlane: DataPlane
  readonly view: View<EdgeView>
  /** Service of each route. */
  readonly serviceOf: ReadonlyMap<string, string>
  /** Sums up requests. */
  readonly spans: SpanTally
  /** Called with every report. */
  readonly onReport: (report: EdgeReport) => void
  readonly signal: AbortSignal
}

const pauseMs = 500
/** A gap between seconds is not worth mentioning below this: clocks and timers are not that exact. */
const gapMs = 2500
/** A fact comes at most so long after the second that it is about, unless control was away. */
const factDelayMs = 10_000

/** So many facts wait for the timeline at the most; then the oldest are dropped. */
const mostUnsaid = 1000

/** Takes every report of the edge once: measures, facts. Ends with the signal. */
export async function followReports(ground: FollowGround): Promise<void> {
  const { context, dataPlane, signal } = ground
  const follower = new Follower(ground)
  let [edgeId, after] = ['', 0]
  let isReady = false
  while (!signal.aborted) {
    try {
      if (!isReady) await follower.resume()
      isReady = true
      const answer = await dataPlane.reports(after, signal)
      // A new edge process counts its reports from 1.
      if (answer.edgeId !== edgeId && after > 0) {
        ;[edgeId, after] = [answer.edgeId, 0]
        continue
      }
      edgeId = answer.edgeId
      for (const report of answer.reports) {
        await follower.take(report, after)
        after = report.number
      }
    } catch (error) {
      if (signal.aborted) return
      context.log.info({ error: plainError(error).message }, 'the edge could not be followed')
      await context.clock.sleep(pauseMs, signal).catch(() => undefined)
    }
  }
}

class Follower {
  readonly #ground: FollowGround
  #ongoing: Ongoing = calm
  #lookAlikes = nothingSeen
  /** Start of the last second that is in the measures. */
  #recordedAt: number | null = null
  /** The same as an earlier control left it, until a later second came. */
  #resumedAt = 0
  readonly #refusals = new MinuteTally()
  /** Until when an earlier control has said whom limits refused, until a later minute came. */
  #refusalsSaidUntil = 0
  /** Until when an earlier control has said who sent most, until a later span came. */
  #spansSaidUntil = 0
  /** Facts that the timeline has not taken yet, oldest first. */
  readonly #unsaid: (() => Promise<void>)[] = []

  constructor(ground: FollowGround) {
    this.#ground = ground
  }

  /** Goes on where an earlier control stopped: what is in the measures is not recorded twice. */
  async resume(): Promise<void> {
    const { context, view } = this.#ground
    const nowMs = context.clock.now()
    this.#recordedAt = await lastRecorded(context.series, nowMs)
    // A second in the future was measured before the clock was set back: nothing can be told from it.
    this.#resumedAt = (this.#recordedAt ?? 0) > nowMs ? 0 : (this.#recordedAt ?? 0)
    const bites: Record<string, Spell> = {}
    for (const [key, since] of Object.entries(view.state.bites)) {
      const [limit = '', rule = ''] = key.split('\n')
      const count = await refusedSince(
        context.series,
        { limit, rule },
        { from: since - factDelayMs, to: nowMs },
      )
      bites[key] = { since, last: this.#recordedAt ?? since, count }
    }
    const failing = Object.entries(view.state.failing).map(
      ([service, since]) => [service, { since, last: this.#recordedAt ?? since, count: 1 }] as const,
    )
    this.#refusalsSaidUntil = await saidUntil(context, nowMs, limitsFacts.refused.kind)
    this.#spansSaidUntil = await saidUntil(context, nowMs, edgeFacts.trafficCounted.kind)
    this.#ongoing = { bites, failing: Object.fromEntries(failing), flaps: view.state.flaps }
  }

  async take(report: EdgeReport, after: number): Promise<void> {
    const { context, onReport, serviceOf } = this.#ground
    onReport(report)
    this.#tally(report)
    if (report.at <= this.#resumedAt) return
    this.#resumedAt = 0
    this.#noteGap(report, after)
    this.#recordedAt = report.at
    recordReport(context.series, report)
    const { ongoing, sayings } = decideSayings(this.#ongoing, report, serviceOf)
    this.#ongoing = ongoing
    for (const saying of sayings) this.#unsaid.push(() => say(context, saying))
    for (const note of report.happened) this.#unsaid.push(() => sayNote(context, note))
    this.#lookForLookAlikes(report)
    await this.#sayAll()
  }

  /** Takes reports that an earlier control had too: what it did not end, a minute or a span, is said as a whole. */
  #tally(report: EdgeReport): void {
    const { context } = this.#ground
    for (const span of this.#ground.spans.take(report)) {
      if (span.until <= this.#spansSaidUntil) continue
      this.#spansSaidUntil = 0
      this.#unsaid.push(async () => void (await context.record(edgeFacts.trafficCounted, span)))
    }
    const minute = this.#refusals.take(report)
    if (minute === null || minute.until <= this.#refusalsSaidUntil) return
    this.#refusalsSaidUntil = 0
    this.#unsaid.push(() => sayRefused(context, minute))
  }

  #lookForLookAlikes(report: EdgeReport): void {
    const { state, saying } = decideLookAlike(this.#lookAlikes, report)
    this.#lookAlikes = state
    if (saying === null) return
    const { context } = this.#ground
    this.#unsaid.push(async () => void (await context.record(edgeFacts.clientsLookAlike, saying)))
  }

  /** What the timeline cannot take now is said later, in order; each second is measured once all the same. */
  async #sayAll(): Promise<void> {
    this.#unsaid.splice(0, this.#unsaid.length - mostUnsaid)
    try {
      for (let next = this.#unsaid[0]; next !== undefined; next = this.#unsaid[0]) {
        await next()
        this.#unsaid.shift()
      }
    } catch (error) {
      this.#ground.context.log.warn({ error: plainError(error).message }, 'facts of the edge wait')
    }
  }

  #noteGap({ at, number }: EdgeReport, after: number): void {
    const recordedAt = this.#recordedAt
    // The first report of an edge process follows a time in which there was none to report.
    if (recordedAt === null || number === 1 || number === after + 1 || at - recordedAt < gapMs) return
    const seconds = Math.round((at - recordedAt) / 1000) - 1
    const { context } = this.#ground
    this.#unsaid.push(async () => void (await context.record(edgeFacts.reportsMissed, { seconds })))
  }
}

const spanSeconds = ({ since, last }: Spell): number => Math.round((last - since) / 1000) + 1

async function say(context: Context, saying: Saying): Promise<void> {
  if ('limit' in saying) await sayLimit(context, saying)
  else await sayOrigin(context, saying)
}

async function sayLimit(context: Context, { what, limit, rule, spell }: LimitSaying): Promise<void> {
  const data = { limit, rule, refused: spell.count }
  const extras = { subject: `limit:${limit}` }
  if (what === 'limit-bit') await context.record(edgeFacts.limitBit, data, extras)
  else await context.record(edgeFacts.limitEased, { ...data, seconds: spanSeconds(spell) }, extras)
}

async function sayOrigin(context: Context, { what, service, spell }: OriginSaying): Promise<void> {
  const data = { service, failures: spell.count }
  const extras = { subject: `service:${service}` }
  if (what === 'origin-failed') await context.record(edgeFacts.originFailed, data, extras)
  else await context.record(edgeFacts.originRecovered, { ...data, seconds: spanSeconds(spell) }, extras)
}

async function sayRefused(context: Context, { entries, ...span }: RefusedMinute): Promise<void> {
  await context.record(limitsFacts.refused, { ...span, door: 'edge', entries: [...entries] })
}

/** A minute in the future was said before the clock was set back: nothing can be told from it. */
async function saidUntil({ timeline }: Context, nowMs: number, kind: string): Promise<number> {
  const facts = await timeline.read({ kinds: [kind], order: 'newest', limit: 20 })
  const newest = facts.find(({ data }) => data?.['door'] !== 'app')?.data?.['until']
  return typeof newest === 'number' && newest <= nowMs ? newest : 0
}

async function sayNote(context: Context, { what, file, message }: EdgeNote): Promise<void> {
  if (what === 'certificate-reloaded') {
    await context.record(edgeFacts.certificateReloaded, { file, until: message })
  } else if (what === 'certificate-refused') {
    await context.record(edgeFacts.certificateRefused, { file, message })
  } else if (what === 'identity-reloaded') {
    await context.record(edgeFacts.identityReloaded, { source: file })
  } else if (what === 'identity-refused') {
    await context.record(edgeFacts.identityRefused, { source: file, message })
  } else if (what === 'counters-lost') {
    await context.record(edgeFacts.countersLost, { message })
  } else if (what === 'counters-found') {
    await context.record(edgeFacts.countersFound, {})
  } else {
    await context.record(edgeFacts.threadReplaced, { message })
  }
}
