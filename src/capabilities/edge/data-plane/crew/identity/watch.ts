import type { EdgeNote, EdgePolicy, SecretPlace } from '../../../../../contracts/edge-policy.ts'
import { systemCode, type Clock } from '../../../../../kernel/std/index.ts'
import type { IdentityStore } from '../../../ports.ts'
import type { IdentityMaterial } from '../../shared/index.ts'
import { parseApiKeys, parsePublicKeys, parseSecrets } from './material.ts'

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
}

/** The parts of a policy that name what is to be read. */
type Named = Pick<EdgePolicy, 'identity' | 'shared'>

type Part = Partial<Omit<IdentityMaterial, 'passportKey'>>

/** One place from which a part of the material comes. */
interface Source {
  /** As facts call it. */
  readonly name: string
  /** Whether it lies behind a network. */
  readonly isRemote: boolean
  readonly read: () => Promise<string>
  readonly parse: (text: string) => Part
}

/** How a source stands. */
interface Standing {
  readonly source: Source
  text: string | null
  part: Part
  /** What was said about it last; empty: nothing is wrong. */
  complaint: string
  /** On the monotonic clock: not asked before. */
  dueMs: number
  readonly openedMs: number
}

/** A service that writes a file when it first runs gets so long before its absence is said. */
const patienceMs = 10_000
const remoteEveryMs = 5 * 60_000
const remoteRetryMs = 30_000

/** Creates the watch. */
export function createIdentityWatch(store: IdentityStore, clock: Pick<Clock, 'monotonicMs'>): IdentityWatch {
  return new Watch(store, clock)
}

class Watch implements IdentityWatch {
  readonly #store: IdentityStore
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #standings: readonly Standing[] = []
  #config = 'null'
  #wantsKeys = false

  constructor(store: IdentityStore, clock: Pick<Clock, 'monotonicMs'>) {
    this.#store = store
    this.#clock = clock
  }

  async accept(policy: Named): Promise<IdentityMaterial> {
    const config = JSON.stringify([policy.identity, policy.shared?.password])
    if (config !== this.#config) {
      this.#config = config
      this.#standings = sourcesOf(policy, this.#store).map((source) => this.#open(source))
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

  #material(): IdentityMaterial {
    const { passportKey } = this.#store
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
      dueMs: 0,
      openedMs: this.#clock.monotonicMs(),
    }
    const text = source.isRemote ? this.#store.remembered(source.name) : null
    if (text !== null) take(standing, text)
    return standing
  }

  /** A file that is no good is said by the next look. */
  async #readHere(standing: Standing): Promise<void> {
    if (standing.source.isRemote) return
    const text = await standing.source.read().catch(() => null)
    if (text !== null) take(standing, text)
  }

  async #look(standing: Standing): Promise<readonly EdgeNote[]> {
    const { source } = standing
    const nowMs = this.#clock.monotonicMs()
    if (source.isRemote && !this.#isDue(standing, nowMs)) return []
    try {
      const text = await source.read()
      standing.dueMs = nowMs + remoteEveryMs
      const isNew = text !== standing.text
      if (isNew) this.#take(standing, text)
      standing.complaint = ''
      return isNew ? [{ what: 'identity-reloaded', file: source.name, message: '' }] : []
    } catch (error) {
      standing.dueMs = nowMs + remoteRetryMs
      const isToCome = standing.text === null && systemCode(error) === 'ENOENT'
      if (isToCome && nowMs < standing.openedMs + patienceMs) return []
      return complain(standing, (error as Error).message.slice(0, 500))
    }
  }

  /** Throws when the text is no good; then nothing has changed. */
  #take(standing: Standing, text: string): void {
    const { source } = standing
    standing.part = source.parse(text)
    standing.text = text
    if (source.isRemote) this.#store.remember(source.name, text)
  }

  #isDue(standing: Standing, nowMs: number): boolean {
    const isWanted = this.#wantsKeys && nowMs >= standing.dueMs - remoteEveryMs + remoteRetryMs
    if (nowMs < standing.dueMs && !isWanted) return false
    this.#wantsKeys = false
    return true
  }
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

function sourcesOf({ identity, shared }: Named, store: IdentityStore): readonly Source[] {
  return [...identitySources(identity, store), ...passwordSources(shared, store)]
}

function identitySources(identity: Named['identity'], store: IdentityStore): readonly Source[] {
  const sources: Source[] = []
  const jwks = identity?.jwt?.jwks
  if (jwks !== undefined) {
    const isRemote = jwks.startsWith('https://')
    sources.push({
      name: jwks,
      isRemote,
      read: () => (isRemote ? store.fetch(jwks) : store.read(jwks)),
      parse: (text) => ({ jwks: parsePublicKeys(text) }),
    })
  }
  const keys = identity?.apiKeys?.file
  if (keys !== undefined) {
    const parse = (text: string): Part => ({ apiKeys: parseApiKeys(text) })
    sources.push({ name: keys, isRemote: false, read: () => store.read(keys), parse })
  }
  const secret = identity?.session?.secret
  if (secret !== undefined) {
    sources.push(secretSource(secret, store, (text) => ({ sessionSecrets: parseSecrets(text) })))
  }
  return sources
}

function passwordSources(shared: Named['shared'], store: IdentityStore): readonly Source[] {
  const password = shared?.password
  if (password === undefined) return []
  return [secretSource(password, store, (text) => ({ counterPassword: parseSecrets(text)[0] ?? '' }))]
}

function secretSource(secret: SecretPlace, store: IdentityStore, parse: Source['parse']): Source {
  if (secret.kind === 'file') {
    return { name: secret.file, isRemote: false, read: () => store.read(secret.file), parse }
  }
  const read = async (): Promise<string> => {
    const value = store.variable(secret.variable)
    if (value === undefined)
      throw new Error('it is not set in the edge; run "holdfast down" and "holdfast up"')
    return value
  }
  return { name: `the variable ${secret.variable}`, isRemote: false, read, parse }
}
