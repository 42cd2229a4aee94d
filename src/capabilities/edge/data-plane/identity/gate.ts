import { hash } from 'node:crypto'
import type { EdgeIdentity, ProofPlace } from '../../../../contracts/edge-policy.ts'
import type { Limiter } from '../../../../kernel/limit/index.ts'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import {
  cookieOf,
  fieldOf,
  nobody,
  type Client,
  type Countable,
  type Identity,
  type RequestHead,
} from '../../pipeline/index.ts'
import type { PreparedLimit } from '../limits/prepared-limits.ts'
import type { Handout, IdentityMaterial } from '../shared/index.ts'
import { Memory } from './memory.ts'
import { createPassportOffice, passportCookie, probationMs, setCookie, type Paper } from './passports.ts'
import { unsign } from './sessions.ts'
import { createTokenBook, type TokenBook } from './tokens.ts'

type Head = Pick<RequestHead, 'fields'>

/** Finds out what requests prove about who sent them. */
export interface IdentityGate {
  /** At once for whoever proves nothing, and for tokens that were seen before. A promise never rejects. */
  identify(head: Head, client: Client): Identity | Promise<Identity>
  /** The value of Set-Cookie that takes an address on its way to a passport, or null. */
  offer(head: Head, client: Client, isSecure: boolean): string | null
  /** The address was refused something: it does not behave. */
  blame(client: Client): void
  /** Takes on other secrets and keys. */
  renew(material: IdentityMaterial): void
}

/** What a gate works with. */
export interface GateParts {
  readonly handout: Handout
  readonly limiter: Limiter
  readonly limits: readonly PreparedLimit[]
  readonly clock: Clock
  /** The time that limits count by. */
  readonly limitTimeMs: () => number
  readonly random: Random
  readonly onUnknownKey: () => void
}

/** Addresses that did not behave, as one thread remembers them. */
const mostBlamed = 20_000

/** Creates the gate of a policy; null: nobody is known but by address. */
export function createGate(parts: GateParts): IdentityGate | null {
  const { identity } = parts.handout.policy
  return identity === null ? null : new Gate(identity, parts)
}

class Gate implements IdentityGate {
  readonly #config: EdgeIdentity
  readonly #parts: GateParts
  readonly #tokens: TokenBook | null
  readonly #blamed = new Memory<true>(mostBlamed)
  #material: IdentityMaterial
  #passports

  constructor(config: EdgeIdentity, parts: GateParts) {
    const { clock, handout, onUnknownKey, random } = parts
    this.#config = config
    this.#parts = parts
    this.#material = handout.identity
    this.#passports = createPassportOffice(handout.identity.passportKey, random)
    this.#tokens =
      config.jwt === null
        ? null
        : createTokenBook({ config: config.jwt, now: () => clock.now(), onUnknownKey })
    this.renew(handout.identity)
  }

  renew(material: IdentityMaterial): void {
    this.#material = material
    this.#passports = createPassportOffice(material.passportKey, this.#parts.random)
    this.#tokens?.renew(material.jwks)
  }

  identify(head: Head, client: Client): Identity | Promise<Identity> {
    const key = this.#keyOf(head)
    const passport = this.#passportOf(head, client)
    const session = this.#sessionOf(head)
    const token = this.#tokenOf(head)
    const known = token === null ? '' : this.#tokens?.known(token)
    if (known !== undefined) return identityOf(known || session, key, passport)
    const verified = this.#mayVerify(client) ? this.#tokens?.verify(token ?? '') : null
    if (verified === null || verified === undefined) return identityOf(session, key, passport)
    return verified.then((user) => identityOf(user || session, key, passport))
  }

  offer(head: Head, client: Client, isSecure: boolean): string | null {
    if (!this.#config.passport) return null
    const nowMs = this.#parts.clock.now()
    const paper = this.#paperOf(head, client)
    if (paper === null) return setCookie(this.#passports.note(client.key, nowMs), isSecure)
    if (paper.kind === 'passport' || nowMs - paper.sinceMs < probationMs) return null
    if (this.#blamed.get(client.key, nowMs) === true) return null
    if (!this.#take(this.#config.passportLimit, client)) return null
    return setCookie(this.#passports.issue(nowMs), isSecure)
  }

  blame({ key }: Client): void {
    if (!this.#config.passport) return
    const nowMs = this.#parts.clock.now()
    this.#blamed.set(key, true, nowMs + probationMs)
  }

  /** What was not seen yet costs the edge a verification: how many an address may ask for is limited. */
  #mayVerify(client: Client): boolean {
    return this.#take(this.#config.verificationLimit, client)
  }

  #take(index: number, client: Client): boolean {
    const limit = this.#parts.limits[index]
    if (limit === undefined) return false
    const countable: Countable = {
      client,
      who: nobody,
      route: '',
      host: '',
      method: '',
      head: { fields: [] },
    }
    const { limiter, limitTimeMs } = this.#parts
    return limiter.takeOne(index, limit.keyOf(countable), limitTimeMs()) === 0
  }

  #tokenOf(head: Head): string | null {
    const { jwt } = this.#config
    if (jwt === null) return null
    const proof = proofAt(head, jwt.from)
    return proof !== null && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof) ? proof : null
  }

  #sessionOf(head: Head): string {
    const { session } = this.#config
    const cookie = session === null ? null : cookieOf(head, session.cookie)
    return cookie === null ? '' : (unsign(cookie, this.#material.sessionSecrets) ?? '')
  }

  #keyOf(head: Head): string {
    const { apiKeys } = this.#config
    const key = apiKeys === null ? null : fieldOf(head, apiKeys.header)
    if (key === null || key === '') return ''
    const digest = hash('sha256', key, 'hex')
    const names = this.#material.apiKeys
    return Object.hasOwn(names, digest) ? (names[digest] ?? '') : ''
  }

  #passportOf(head: Head, client: Client): string {
    if (!this.#config.passport) return ''
    const paper = this.#paperOf(head, client)
    return paper?.kind === 'passport' ? paper.id : ''
  }

  #paperOf(head: Head, client: Client): Paper | null {
    const cookie = cookieOf(head, passportCookie)
    return cookie === null ? null : this.#passports.read(cookie, client.key, this.#parts.clock.now())
  }
}

function identityOf(user: string, key: string, passport: string): Identity {
  if (user === '' && key === '' && passport === '') return nobody
  return {
    user: user === '' ? '' : `user:${user}`,
    key: key === '' ? '' : `key:${key}`,
    passport: passport === '' ? '' : `passport:${passport}`,
  }
}

function proofAt(head: Head, from: ProofPlace): string | null {
  if (from.kind === 'cookie') return cookieOf(head, from.name)
  const value = fieldOf(head, from.kind === 'header' ? from.name : 'authorization')
  if (value === null || from.kind === 'header') return value
  return /^bearer +(\S+)$/i.exec(value)?.[1] ?? null
}
