import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
} from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from './database.ts'

/**
 * Makes session tokens: JSON Web Tokens (RFC 7519), signed with a key that all copies share. Whoever has the public key
 * can tell whose token it is without asking the database; the edge does. Whether it still holds, only the database knows.
 */
export function createTokens(database: DatabaseSync) {
  const key = createPrivateKey(keyOf(database))
  const { crv, kty, x } = createPublicKey(key).export({ format: 'jwk' })
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
  const header = encode({ alg: 'EdDSA', typ: 'JWT', kid })
  return {
    /** A token for a player. */
    issue: (handle: string, lifeMs: number): string => {
      const expiresAt = Math.floor((Date.now() + lifeMs) / 1000)
      const signed = `${header}.${encode({ sub: handle, exp: expiresAt, jti: randomUUID() })}`
      return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
    },

    /** The public key, as a JSON Web Key Set (RFC 7517), named by its thumbprint (RFC 7638). */
    publicKeys: { keys: [{ crv, kty, x, kid, alg: 'EdDSA', use: 'sig' }] },
  }
}

/** The key, PEM; the first process to ask makes it. */
function keyOf(database: DatabaseSync): string {
  return inTransaction(database, () => {
    const known = database.prepare('SELECT pem FROM signing_key').get()?.['pem']
    if (typeof known === 'string') return known
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    database.prepare('INSERT INTO signing_key (pem) VALUES (?)').run(pem)
    return pem
  })
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
