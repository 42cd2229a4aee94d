import { createHmac } from 'node:crypto'
import { hashToken } from './credentials.ts'

/**
 * The token of a service of the environment file, 256 bits in base64url: HMAC-SHA256 of its name under the root token.
 * So it is the same after every start, needs no place of its own, and ends with the root token that it comes from.
 */
export function serviceToken(rootToken: string, service: string): string {
  return createHmac('sha256', rootToken).update(`token of service ${service}`).digest('base64url')
}

/** Services by the hash of their tokens. */
export function servicesByHash(
  rootToken: string | null,
  services: readonly string[],
): ReadonlyMap<string, string> {
  if (rootToken === null) return new Map()
  return new Map(services.map((service) => [hashToken(serviceToken(rootToken, service)), service]))
}
