import type { Clock } from '../../kernel/std/index.ts'
import type { Log } from '../port.ts'
import type { Denial } from './post.ts'

const believedForMs = 30_000
const mostLimits = 1000

/** Limits that control does not decide about: it is not asked about them for half a minute; each is said once. */
export class UnknownLimits {
  readonly #clock: Clock
  readonly #log: Log
  readonly #untilMs = new Map<string, number>()

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock
    this.#log = log
  }

  /** Whether control has said so lately. */
  has(limit: string): boolean {
    return this.#clock.monotonicMs() < (this.#untilMs.get(limit) ?? 0)
  }

  /** Control has said so. */
  add(limit: string, { detail, code }: Denial): void {
    const isNew = !this.#untilMs.has(limit)
    if (isNew && this.#untilMs.size >= mostLimits) return
    this.#untilMs.set(limit, this.#clock.monotonicMs() + believedForMs)
    const because = code === '' ? detail : `${detail} (${code})`
    if (isNew)
      this.#log.warn(`limits: control does not decide about ${limit} (${because}); this process does`)
  }
}
