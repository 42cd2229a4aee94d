import { limitsFacts, type RefusedEntry } from '../../contracts/limits.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { Context } from '../../kernel/capability/index.ts'

/** Subjects that are counted in a minute at most; more are not told apart. */
const mostSubjects = 5000
const mostEntries = 50
const periodMs = 60_000
/** A kill takes so much of what is not said yet, ms. */
const draftMs = 5000

/** What was decided about some units of a subject. */
export interface Decided {
  /** Full name. */
  readonly limit: string
  /** Empty: a ban. */
  readonly rule: string
  readonly subject: string
  readonly units: number
  readonly what: 'refused' | 'wouldRefuse'
}

interface Measures {
  refused: number
  wouldRefuse: number
  admitted: number
}

type Count = Measures & { readonly units: Measures } & Pick<RefusedEntry, 'limit' | 'rule' | 'subject'>

const none: Measures = { refused: 0, wouldRefuse: 0, admitted: 0 }

/** Where what is not said yet is kept, so that no kill takes more of it than the last seconds. */
export interface Diary {
  /** What an earlier process kept and did not say; null: nothing. */
  readonly draft: string | null
  keep(draft: string | null): Promise<void>
}

/** Counts who is refused, and says it once a minute. */
export interface RollUp {
  refuse(decided: Decided): void
  /** Counts only subjects that were refused before in this minute; `keys` are rule and subject, a line each. */
  admit(limit: string, keys: () => readonly string[], units: number): void
  /** From now on keeps drafts; says what an earlier process did not. */
  keepIn(diary: Diary): void
  /** Says what is left to say and ends. */
  stop(): Promise<void>
}

/** The entries of a minute: who was refused most units comes first. */
export function entriesOf(counts: Iterable<Count>): RefusedEntry[] {
  const weight = ({ units }: Count): number => units.refused + units.wouldRefuse / 1e9
  return [...counts]
    .sort((a, b) => weight(b) - weight(a))
    .slice(0, mostEntries)
    .map(({ units, ...count }) => ({ ...count, ...(isOneEach(count, units) ? {} : { units }), routes: [] }))
}

function isOneEach(count: Measures, units: Measures): boolean {
  return (['refused', 'wouldRefuse', 'admitted'] as const).every((what) => count[what] === units[what])
}

/** Starts to roll up: at most one fact a minute, none when nobody was refused. */
export function startRollUp(context: Context): RollUp {
  const minute = new Minute(context)
  const ends = [
    context.clock.every(periodMs, () => void minute.end()),
    context.clock.every(draftMs, () => minute.draft()),
  ]
  return {
    refuse: (decided) => minute.refuse(decided),
    admit: (limit, keys, units) => minute.admit(limit, keys, units),
    keepIn: (diary) => minute.keepIn(diary),
    stop: async () => {
      for (const end of ends) end()
      await minute.end()
    },
  }
}

type Refused = ReturnType<typeof limitsFacts.refused.data.parse>

class Minute {
  readonly #context: Context
  #counts = new Map<string, Count>()
  #from: number
  #diary: Diary | null = null
  /** Something was counted that is in no draft. */
  #isFresh = false
  /** What is said and kept, one after the other. */
  #last: Promise<void> = Promise.resolve()

  constructor(context: Context) {
    this.#context = context
    this.#from = context.clock.now()
  }

  refuse({ limit, rule, subject, units, what }: Decided): void {
    const key = `${limit}\n${rule}\n${subject}`
    const count = this.#counts.get(key) ?? { limit, rule, subject, ...none, units: { ...none } }
    if (this.#counts.size >= mostSubjects && !this.#counts.has(key)) return
    count[what]++
    count.units[what] += units
    this.#counts.set(key, count)
    this.#isFresh = true
  }

  admit(limit: string, keys: () => readonly string[], units: number): void {
    if (this.#counts.size === 0) return
    for (const key of keys()) {
      const count = this.#counts.get(`${limit}\n${key}`)
      if (count === undefined) continue
      count.admitted++
      count.units.admitted += units
      this.#isFresh = true
    }
  }

  keepIn(diary: Diary): void {
    this.#diary = diary
    if (diary.draft !== null) this.#next(() => this.#sayDraft(diary.draft ?? ''))
  }

  draft(): void {
    const diary = this.#diary
    if (!this.#isFresh || diary === null) return
    this.#isFresh = false
    const draft = JSON.stringify(this.#soFar())
    this.#next(() => diary.keep(draft))
  }

  /** Resolves when the minute has been said, and those before it. */
  end(): Promise<void> {
    const minute = this.#soFar()
    this.#counts = new Map()
    this.#from = minute.until
    this.#isFresh = false
    if (minute.entries.length > 0) {
      this.#next(async () => {
        await this.#say(minute)
        await this.#diary?.keep(null)
      })
    }
    return this.#last
  }

  #soFar(): Refused {
    const until = Math.max(this.#from, this.#context.clock.now())
    return { from: this.#from, until, door: 'app', entries: entriesOf(this.#counts.values()) }
  }

  async #sayDraft(draft: string): Promise<void> {
    const { timeline } = this.#context
    const minute = limitsFacts.refused.data.parse(JSON.parse(draft))
    const kinds = [limitsFacts.refused.kind]
    const facts = await timeline.read({ kinds, since: minute.from, limit: 1000 })
    // The process may have been killed between the fact and the end of its draft.
    const isSaid = facts.some(({ data }) => data?.['door'] === 'app' && data['from'] === minute.from)
    if (!isSaid) await this.#say(minute)
    await this.#diary?.keep(null)
  }

  async #say(minute: Refused): Promise<void> {
    await this.#context.record(limitsFacts.refused, minute, { subject: 'door:app' })
  }

  #next(act: () => Promise<void>): void {
    this.#last = this.#last.then(act).catch((error: unknown) => {
      this.#context.log.warn({ error: plainError(error).message }, 'refusals were not written down')
    })
  }
}
