import { consoleCookie as cookieName } from '../../../contracts/console-cookie.ts'

/** The session's token from a `Cookie` header (RFC 6265, section 4.2), or null. */
export function sessionOf(header: string | undefined): string | null {
  for (const pair of header?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === cookieName && value !== undefined && /^[A-Za-z0-9_-]{20,200}$/.test(value)) return value
  }
  return null
}

/** The token of an `Authorization: Bearer` header (RFC 6750), or null; a strange one is a token that is not valid. */
export function bearerOf(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^Bearer +(\S{1,500})$/i.exec(header.trim())?.[1] ?? ''
}

/** The `Set-Cookie` header that starts a session, or ends it when `token` is empty. */
export function sessionCookie(token: string, maxAgeMs: number, isSecure: boolean): string {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${Math.floor(maxAgeMs / 1000)}`]
  return [`${cookieName}=${token}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ')
}
