import type { EdgeNote, EdgePolicy, Upstream } from '../../../../../contracts/edge-policy.ts'
import { systemCode, type Clock } from '../../../../../kernel/std/index.ts'
import type { IdentityStore } from '../../../ports.ts'
import type { IdentityMaterial } from '../../shared/index.ts'
import { sourcesOf, type Part, type Source } from './sources.ts'

/** What a look found: undefined when nothing is new. */
export interface IdentityLook {
  readonly material: IdentityMaterial | undefined
  readonly notes: readonly EdgeNote[]
}

/** Keeps what proofs of identity are checked with up to date. What cannot be read leaves the old in effect. */
export interface IdentityWatch {
  /** From now on these sources count; answers with what is known of them without waiting for the network. */
  accept(policy: Named): Promise<IdentityMaterial>
  look(): Promise<IdentityLook>
  /** A token names a key that is not known: the next look may ask for keys before their time. */
  wantKeys(): void
  /** First keys have yet to come from a service or an address: a look in a second is worth it. */
  isWaiting(): boolean
}

/** The parts of a policy that name what is to be read, and where. */
type Named = Pick<EdgePolicy, 'identity' | 'shared' | 'upstreams'>

/** What a watch works with. */
export interface IdentityWatchParts {
  readonly store: IdentityStore
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Ids of targets that are known to be ill. */
  readonly unhealthy: () => readonly string[]
}

/** How a source stands. */
interface Standing {
  readonly source: Source
  text: string | null
  part: Part
  /** What was said about it last; empty: nothing is wrong. */
  complaint: string
  /** When it was asked last, on the monotonic clock, and whether it answered. */
  askedMs: number
  hasAnswered: boolean
  /** Since when it has failed; null: it has not. */
  failingSinceMs: number | null
}

/** Creates the watch. */
export function createIdentityWatch(parts: IdentityWatchParts): IdentityWatch {
  return new Watch(parts)
}

class Watch implements IdentityWatch {
  readonly #parts: IdentityWatchParts
  #standings: readonly Standing[] = []
  #upstreams: readonly Upstream[] = []
  #config = 'null'
  #wantsKeys = false

  constructor(parts: IdentityWatchParts) {
    this.#parts = parts
  }

  async accept(policy: Named): Promise<IdentityMaterial> {
    const config = JSON.stringify([policy.identity, policy.shared?.password])
    this.#upstreams = policy.upstreams
    if (config !== this.#config) {
      this.#config = config
      const ground = {
        store: this.#parts.store,
        originsOf: (service: string) => this.#originsOf(service),
      }
      this.#standings = sourcesOf(policy, ground).map((source) => this.#open(source))
      await Promise.all(this.#standings.map((standing) => this.#readHere(standing)))
    }
    return this.#material()
  }

  async look(): Promise<IdentityLook> {
    const standings = this.#standings
    const notes = (await Promise.all(standings.map((standing) => this.#look(standing)))).flat()
    // A policy came in between: it has opened its own sources.
    if (standings !== this.#standings) return { material: undefined, notes: [] }
    const isNew = notes.some(({ what }) => what === 'identity-reloaded')
    return { material: isNew ? this.#material() : undefined, notes }
  }

  wantKeys(): void {
    this.#wantsKeys = true
  }

  isWaiting(): boolean {
    return this.#standings.some(({ source, text }) => text === null && source.pace !== null)
  }

  /** Those that get most requests are surest to be there. */
  #originsOf(service: string): readonly string[] {
    const ill = this.#parts.unhealthy()
    const { targets = [] } = this.#upstreams.find(({ name }) => name === service) ?? {}
    const well = targets.filter(({ id }) => !ill.includes(id))
    return well.toSorted((a, b) => b.weight - a.weight).map(({ origin }) => origin)
  }

  #material(): IdentityMaterial {
    const { passportKey } = this.#parts.store
    const none = { jwks: null, apiKeys: {}, sessionSecrets: [], passportKey, counterPassword: '' }
    return this.#standings.reduce<IdentityMaterial>((material, { part }) => ({ ...material, ...part }), none)
  }

  /** Keys that an earlier process fetched are as good as those of a moment ago. */
  #open(source: Source): Standing {
    const standing: Standing = {
      source,
      text: null,
      part: {},
      complaint: '',
      askedMs: Number.NEGATIVE_INFINITY,
      hasAnswered: false,
      failingSinceMs: null,
    }
    const text = source.pace === null ? null : this.#parts.store.remembered(source.name)
    if (text !== null) take(standing, text)
    return standing
  }

  /** A file that is no good is said by the next look. */
  async #readHere(standing: Standing): Promise<void> {
    if (standing.source.pace !== null) return
    const text = await standing.source.read().catch(() => null)
    if (text !== null) take(standing, text)
  }

  async #look(standing: Standing): Promise<readonly EdgeNote[]> {
    const { source } = standing
    const nowMs = this.#parts.clock.monotonicMs()
    if (!this.#isDue(standing, nowMs)) return []
    standing.askedMs = nowMs
    try {
      const text = await source.read()
      standing.hasAnswered = text !== null
      standing.failingSinceMs = null
      if (text === null) return []
      const isNew = text !== standing.text
      if (isNew) this.#take(standing, text)
      standing.complaint = ''
      return isNew ? [{ what: 'identity-reloaded', file: source.name, message: '' }] : []
    } catch (error) {
      standing.hasAnswered = false
      standing.failingSinceMs ??= nowMs
      if (mayBeToCome(standing, error) && nowMs < standing.failingSinceMs + source.patienceMs) return []
      return complain(standing, (error as Error).message.slice(0, 500))
    }
  }

  /** Throws when the text is no good; then nothing has changed. */
  #take(standing: Standing, text: string): void {
    const { source } = standing
    standing.part = source.parse(text)
    standing.text = text
    if (source.pace !== null) this.#parts.store.remember(source.name, text)
  }

  #isDue({ source: { pace }, askedMs, hasAnswered }: Standing, nowMs: number): boolean {
    if (pace === null) return true
    const isWanted = this.#wantsKeys && nowMs >= askedMs + pace.wantedMs
    if (nowMs < askedMs + (hasAnswered ? pace.everyMs : pace.retryMs) && !isWanted) return false
    this.#wantsKeys = false
    return true
  }
}

/** What was never there may be about to come. */
function mayBeToCome({ source, text }: Standing, error: unknown): boolean {
  return text === null && (source.pace !== null || systemCode(error) === 'ENOENT')
}

/** Said once, until it changes or is over. */
function complain(standing: Standing, message: string): readonly EdgeNote[] {
  if (standing.complaint === message) return []
  standing.complaint = message
  return [{ what: 'identity-refused', file: standing.source.name, message }]
}

function take(standing: Standing, text: string): void {
  try {
    standing.part = standing.source.parse(text)
    standing.text = text
  } catch {
    // The next look says it.
  }
}
