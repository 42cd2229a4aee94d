import { limitsFacts, type RefusedEntry } from '../../contracts/limits.ts'
import { plainError } from '../../kernel/std/index.ts'
import type { Context } from '../../kernel/capability/index.ts'

/** Subjects that are counted in a minute at most; more are not told apart. */
const mostSubjects = 5000
const mostEntries = 50
const periodMs = 60_000

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

/** Counts who is refused, and says it once a minute. */
export interface RollUp {
  refuse(decided: Decided): void
  /** Counts only subjects that were refused before in this minute; `keys` are rule and subject, a line each. */
  admit(limit: string, keys: () => readonly string[], units: number): void
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
  const { clock, log } = context
  let counts = new Map<string, Count>()
  let from = clock.now()
  const say = async (): Promise<void> => {
    const until = clock.now()
    const entries = entriesOf(counts.values())
    const data = { from, until: Math.max(from, until), door: 'app' as const, entries }
    counts = new Map()
    from = until
    if (entries.length === 0) return
    await context.record(limitsFacts.refused, data, { subject: 'door:app' }).catch((error: unknown) => {
      log.warn({ error: plainError(error).message }, 'refusals of a minute were not recorded')
    })
  }
  let saying: Promise<void> = Promise.resolve()
  const end = clock.every(periodMs, () => {
    saying = saying.then(say)
  })
  return {
    refuse: ({ limit, rule, subject, units, what }) => {
      const key = `${limit}\n${rule}\n${subject}`
      const count = counts.get(key) ?? { limit, rule, subject, ...none, units: { ...none } }
      if (counts.size >= mostSubjects && !counts.has(key)) return
      count[what]++
      count.units[what] += units
      counts.set(key, count)
    },
    admit: (limit, keys, units) => {
      if (counts.size === 0) return
      for (const key of keys()) {
        const count = counts.get(`${limit}\n${key}`)
        if (count === undefined) continue
        count.admitted++
        count.units.admitted += units
      }
    },
    stop: async () => {
      end()
      await saying
      await say()
    },
  }
}
