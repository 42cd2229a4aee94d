import type { IdentityMaterial } from '../../shared/index.ts'

const mostPublicKeys = 100
const mostApiKeys = 10_000
const mostSecrets = 10

function parseObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it is no JSON object')
  return value as Readonly<Record<string, unknown>>
}

/** Reads a JSON Web Key Set (RFC 7517): public keys only. Throws a plain error that says what is wrong. */
export function parsePublicKeys(text: string): NonNullable<IdentityMaterial['jwks']> {
  const { keys } = parseObject(text)
  if (!Array.isArray(keys)) throw new Error('it has no list "keys"')
  const objects = keys.filter(
    (key): key is Record<string, unknown> => typeof key === 'object' && key !== null,
  )
  // A secret key, or a private one, has no place where everybody can read it.
  const own = objects.filter((key) => key['kty'] !== 'oct' && !('d' in key)).slice(0, mostPublicKeys)
  if (own.length === 0) throw new Error('there is no public key in it')
  return { keys: own }
}

/** Reads names and SHA-256 of API keys; answers with names by digest. Throws as `parsePublicKeys`. */
export function parseApiKeys(text: string): IdentityMaterial['apiKeys'] {
  const entries = Object.entries(parseObject(text))
  if (entries.length > mostApiKeys) throw new Error(`it has more than ${mostApiKeys} keys`)
  const byDigest = new Map<string, string>()
  for (const [name, digest] of entries) {
    if (!/^[\w.@-]{1,100}$/.test(name)) throw new Error(`"${name.slice(0, 100)}" is no name of a key`)
    if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/i.test(digest)) {
      throw new Error(`"${name}" has no SHA-256 in hex`)
    }
    byDigest.set(digest.toLowerCase(), name)
  }
  return Object.fromEntries(byDigest)
}

/** Reads secrets of sessions, one a line. Throws as `parsePublicKeys`. */
export function parseSecrets(text: string): IdentityMaterial['sessionSecrets'] {
  const secrets = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (secrets.length === 0) throw new Error('there is no secret in it')
  return secrets.slice(0, mostSecrets)
}
