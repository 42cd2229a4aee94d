import { resolve } from 'node:path'
import type { EdgeIdentity, ProofPlace } from '../../../contracts/edge-policy.ts'
import type { EdgeConfig } from '../config.ts'
import type { UpstreamState } from '../ports.ts'
import { invalid, requireListening } from './invalid.ts'
import type { LimitBook } from './limits.ts'
import { secretPlaceOf } from './secret-place.ts'

type IdentityConfig = NonNullable<EdgeConfig['identity']>
type JwtConfig = NonNullable<IdentityConfig['jwt']>

/** Passports of one address: more would multiply what it may do under `per client`. */
const passportRule = '6/day per ip'

/** What files and services are looked for in. */
interface IdentityGround {
  readonly directory?: string
  readonly upstreams: readonly UpstreamState[]
}

/** Compiles by what users are known. Errors: those of `compilePolicy`. */
export function compileIdentity(
  { identity }: EdgeConfig,
  { directory, upstreams }: IdentityGround,
  book: LimitBook,
): EdgeIdentity | null {
  if (identity === undefined) return null
  const { jwt, apiKeys, session, passport, verifications } = identity
  checkSources(identity)
  const place = (file: string): string => (directory === undefined ? file : resolve(directory, file))
  if (typeof jwt?.jwks === 'object')
    requireListening('edge.identity.jwt.jwks.service', jwt.jwks.service, upstreams)
  const [verificationLimit = 0] = book.add({
    path: 'edge.identity.verifications',
    name: 'edge.identity.verifications',
    written: verifications,
  })
  const [passportLimit = 0] = book.add({
    path: 'edge.identity.passport',
    name: 'edge.identity.passports',
    written: passportRule,
  })
  return {
    jwt: jwt === undefined ? null : compileJwt(jwt, place),
    apiKeys:
      apiKeys === undefined ? null : { header: apiKeys.header.toLowerCase(), file: place(apiKeys.file) },
    session: session === undefined ? null : compileSession(session, directory),
    passport,
    verificationLimit,
    passportLimit,
  }
}

function checkSources({ jwt, apiKeys, session, passport }: IdentityConfig): void {
  if (jwt !== undefined || apiKeys !== undefined || session !== undefined || passport) return
  throw invalid(
    'edge.identity',
    'it does not say by what users are known',
    'add jwt, apiKeys, session or passport',
  )
}

type Place = (file: string) => string

function compileJwt({ jwks, issuer, audience = [], claim, from }: JwtConfig, place: Place) {
  return {
    jwks: typeof jwks === 'object' || jwks.startsWith('https://') ? jwks : place(jwks),
    issuer: issuer ?? null,
    audience: typeof audience === 'string' ? [audience] : audience,
    claim,
    from: placeOf(from),
  }
}

function placeOf(from: JwtConfig['from']): ProofPlace {
  if (from === 'authorization') return { kind: 'authorization' }
  if ('cookie' in from) return { kind: 'cookie', name: from.cookie }
  return { kind: 'header', name: from.header.toLowerCase() }
}

function compileSession(
  { cookie, secretFile, secretVariable }: NonNullable<IdentityConfig['session']>,
  directory: string | undefined,
) {
  return { cookie, secret: secretPlaceOf({ file: secretFile, variable: secretVariable }, directory) }
}
