import type { EdgeReport } from '../../../contracts/edge-policy.ts'
import type { RefusedEntry } from '../../../contracts/limits.ts'
import { mergeOffenders } from './merge.ts'

/** Whom limits refused in a minute. */
export interface RefusedMinute {
  /** Start of the minute, milliseconds since the epoch. */
  readonly from: number
  readonly until: number
  /** Those who were refused most. */
  readonly entries: readonly RefusedEntry[]
}

const minuteMs = 60_000
/** As many as a fact names; meanwhile more are kept, for somebody may rise. */
const most = { said: 50, kept: 1000 } as const

/** Sums up reports of the edge by the minute, so that there is one fact a minute. */
export class MinuteTally {
  #from = 0
  #entries: readonly RefusedEntry[] = []

  /** Takes the next report; answers with the minute that it ends, if anybody was refused in it. */
  take({ at, offenders }: Pick<EdgeReport, 'at' | 'offenders'>): RefusedMinute | null {
    const from = at - (at % minuteMs)
    const ended = from === this.#from ? null : this.#end()
    this.#from = from
    if (offenders !== undefined) {
      const all = [
        { offenders: this.#entries, nearMisses: [] },
        { offenders, nearMisses: [] },
      ]
      this.#entries = mergeOffenders(all, { offenders: most.kept, nearMisses: 0 }).offenders
    }
    return ended
  }

  #end(): RefusedMinute | null {
    const entries = this.#entries.slice(0, most.said)
    this.#entries = []
    return entries.length === 0 ? null : { from: this.#from, until: this.#from + minuteMs, entries }
  }
}
