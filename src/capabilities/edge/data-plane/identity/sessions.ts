import { createHmac, timingSafeEqual } from 'node:crypto'

/** Cookies longer than this are not looked at. */
const longestCookie = 4096

/**
 * The value of a signed cookie as express-session and cookie-parser write it: `s:` value `.` signature, URL-encoded;
 * the signature is HMAC-SHA256 in base64 without padding. Null: no secret has signed it.
 */
export function unsign(cookie: string, secrets: readonly string[]): string | null {
  if (cookie.length > longestCookie) return null
  const text = decode(cookie)
  if (text?.startsWith('s:') !== true) return null
  const dot = text.lastIndexOf('.')
  const value = text.slice(2, dot)
  if (dot < 3) return null
  const signature = Buffer.from(text.slice(dot + 1))
  return secrets.some((secret) => isSignedBy(secret, value, signature)) ? value : null
}

function isSignedBy(secret: string, value: string, signature: Buffer): boolean {
  const own = Buffer.from(createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, ''))
  return own.length === signature.length && timingSafeEqual(own, signature)
}

function decode(cookie: string): string | null {
  try {
    return decodeURIComponent(cookie)
  } catch {
    return null
  }
}
