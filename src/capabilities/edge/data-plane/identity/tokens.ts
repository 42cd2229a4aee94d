import { hash } from 'node:crypto'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import type { EdgeIdentity } from '../../../../contracts/edge-policy.ts'
import { systemCode, lookUp } from '../../../../kernel/std/index.ts'
import type { IdentityMaterial } from '../shared/index.ts'
import { Memory } from './memory.ts'

/** Signatures by public key only: with a shared secret, whoever can verify can sign (RFC 8725, 3.1 and 3.2). */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

const mostRemembered = 20_000
/** Verified at once by one thread. */
const mostUnderWay = 256
const longestToken = 8192
/** A token without an end, and one that is no good, is looked at again after so long. */
const rememberMs = 60_000
const clockToleranceSeconds = 5
/** Keys that fit a token which names none. */
const mostCandidates = 8

/** What tokens are verified with. */
export interface TokenParts {
  readonly config: NonNullable<EdgeIdentity['jwt']>
  readonly now: () => number
  /** A token names a key that is not known. */
  readonly onUnknownKey: () => void
}

/** Verifies JSON Web Tokens (RFC 7519) and remembers them by digest until they end. */
export interface TokenBook {
  /** The user (empty: it proves none) of a token that was seen before; undefined: it has to be verified. */
  known(token: string): string | undefined
  /** The user of a token; empty: it proves none. Null: too much is under way. Never rejects. */
  verify(token: string): Promise<string> | null
  renew(jwks: IdentityMaterial['jwks']): void
}

/** Creates the book of one thread. */
export function createTokenBook(parts: TokenParts): TokenBook {
  const { config, now, onUnknownKey } = parts
  let users = new Memory<string>(mostRemembered)
  let keys: IdentityMaterial['jwks'] = null
  const underWay = new Map<string, Promise<string>>()

  const verify = async (token: string, digest: string): Promise<string> => {
    const seen = users
    let user = ''
    let untilMs = now() + rememberMs
    try {
      const payload = await readToken(token, { keys, config, nowMs: now() })
      user = userOf(payload, config.claim)
      if (payload.exp !== undefined) untilMs = 1000 * (payload.exp + clockToleranceSeconds)
    } catch (error) {
      if (systemCode(error) === 'ERR_JWKS_NO_MATCHING_KEY') onUnknownKey()
    }
    seen.set(digest, user, untilMs)
    return user
  }

  return {
    known: (token) => (token.length > longestToken ? '' : users.get(digestOf(token), now())),
    verify: (token) => {
      const digest = digestOf(token)
      const running = underWay.get(digest)
      if (running !== undefined) return running
      if (underWay.size >= mostUnderWay) return null
      const work = verify(token, digest).finally(() => underWay.delete(digest))
      underWay.set(digest, work)
      return work
    },
    renew: (jwks) => {
      if (JSON.stringify(jwks) === JSON.stringify(keys)) return
      keys = jwks
      users = new Memory(mostRemembered)
    },
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64url')
}

interface Reading {
  readonly keys: IdentityMaterial['jwks']
  readonly config: NonNullable<EdgeIdentity['jwt']>
  readonly nowMs: number
}

async function readToken(token: string, { keys, config, nowMs }: Reading): Promise<JWTPayload> {
  if (keys === null) throw new Error('no public keys are known yet')
  // Only threads that verify tokens load the library.
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose')
  const options = {
    algorithms,
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(nowMs),
    ...(config.issuer === null ? {} : { issuer: config.issuer }),
    ...(config.audience.length === 0 ? {} : { audience: config.audience }),
  }
  try {
    return (await jwtVerify(token, createLocalJWKSet(keys as JSONWebKeySet), options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let tries = 0
    for await (const key of error) {
      if (++tries > mostCandidates) break
      const verified = await jwtVerify(token, key, options).catch(() => null)
      if (verified !== null) return verified.payload
    }
    throw error
  }
}

function userOf(payload: JWTPayload, claim: string): string {
  const value = lookUp(payload, claim)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
