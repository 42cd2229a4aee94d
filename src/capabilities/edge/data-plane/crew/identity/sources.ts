import type { EdgeIdentity, EdgePolicy, SecretPlace } from '../../../../../contracts/edge-policy.ts'
import type { IdentityStore } from '../../../ports.ts'
import type { IdentityMaterial } from '../../shared/index.ts'
import { parseApiKeys, parsePublicKeys, parseSecrets } from './material.ts'

/** What one source yields. */
export type Part = Partial<Omit<IdentityMaterial, 'passportKey'>>

/** How often something behind a network is asked, milliseconds from one time to the next. */
interface Pace {
  readonly everyMs: number
  /** After one that failed. */
  readonly retryMs: number
  /** When a token names a key that is not known. */
  readonly wantedMs: number
}

/** One place from which a part of the material comes. */
export interface Source {
  /** As facts call it. */
  readonly name: string
  /** Null: it lies on this machine, and every look reads it. */
  readonly pace: Pace | null
  /** So long it may not be to be had yet, from the first time in vain, without a word about it. */
  readonly patienceMs: number
  /** Null: there is nobody who could be asked now, which is said elsewhere. */
  readonly read: () => Promise<string | null>
  readonly parse: (text: string) => Part
}

/** The parts of a policy that name what is to be read. */
export type Named = Pick<EdgePolicy, 'identity' | 'shared'>

/** What sources are read with. */
export interface SourceGround {
  readonly store: IdentityStore
  /** Addresses of the service that may answer now, the best first. */
  readonly originsOf: (service: string) => readonly string[]
}

/** A service gets so long for the file that it writes when it first runs, or to answer with its keys. */
const patienceMs = 10_000
const remotePace: Pace = { everyMs: 5 * 60_000, retryMs: 30_000, wantedMs: 30_000 }
const servicePace: Pace = { everyMs: 30_000, retryMs: 1000, wantedMs: 5000 }
/** Replicas that are asked in one look. */
const mostAsked = 3

/** The sources that a policy names. */
export function sourcesOf({ identity, shared }: Named, ground: SourceGround): readonly Source[] {
  return [...identitySources(identity, ground), ...passwordSources(shared, ground)]
}

function identitySources(identity: Named['identity'], ground: SourceGround): readonly Source[] {
  const { jwt, apiKeys, session } = identity ?? {}
  const sources: Source[] = []
  if (jwt) sources.push(keySource(jwt.jwks, ground))
  if (apiKeys) sources.push(fileSource(apiKeys.file, ground, (text) => ({ apiKeys: parseApiKeys(text) })))
  if (session) {
    sources.push(secretSource(session.secret, ground, (text) => ({ sessionSecrets: parseSecrets(text) })))
  }
  return sources
}

type Keys = NonNullable<EdgeIdentity['jwt']>['jwks']

function keySource(jwks: Keys, ground: SourceGround): Source {
  const parse = (text: string): Part => ({ jwks: parsePublicKeys(text) })
  if (typeof jwks === 'object') {
    const read = (): Promise<string | null> => readFromService(jwks, ground)
    const name = `${jwks.service}${jwks.path}`
    return { name, pace: servicePace, patienceMs, read, parse }
  }
  if (!jwks.startsWith('https://')) return fileSource(jwks, ground, parse)
  return { name: jwks, pace: remotePace, patienceMs: 0, read: () => ground.store.fetch(jwks), parse }
}

/** The keys of a service are those that any of its replicas hands out. */
async function readFromService(
  { service, path }: Exclude<Keys, string>,
  { store, originsOf }: SourceGround,
): Promise<string | null> {
  let trouble: Error | null = null
  for (const origin of originsOf(service).slice(0, mostAsked)) {
    try {
      const text = await store.fetch(`${origin}${path}`)
      parsePublicKeys(text)
      return text
    } catch (error) {
      trouble = error as Error
    }
  }
  if (trouble !== null) throw trouble
  return null
}

function fileSource(file: string, { store }: SourceGround, parse: Source['parse']): Source {
  return { name: file, pace: null, patienceMs, read: () => store.read(file), parse }
}

function passwordSources(shared: Named['shared'], ground: SourceGround): readonly Source[] {
  const password = shared?.password
  if (password === undefined) return []
  return [secretSource(password, ground, (text) => ({ counterPassword: parseSecrets(text)[0] ?? '' }))]
}

function secretSource(secret: SecretPlace, ground: SourceGround, parse: Source['parse']): Source {
  if (secret.kind === 'file') return fileSource(secret.file, ground, parse)
  const read = async (): Promise<string> => {
    const value = ground.store.variable(secret.variable)
    if (value === undefined)
      throw new Error('it is not set in the edge; run "holdfast down" and "holdfast up"')
    return value
  }
  return { name: `the variable ${secret.variable}`, pace: null, patienceMs: 0, read, parse }
}
