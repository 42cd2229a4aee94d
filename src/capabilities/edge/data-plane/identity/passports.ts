import { createHmac, timingSafeEqual } from 'node:crypto'
import { randomToken, type Random } from '../../../../kernel/std/index.ts'

/** Name of the cookie. */
export const passportCookie = 'holdfast-passport'

/** A passport holds for so long. */
const validMs = 12 * 3_600_000
/** So long an address has to behave first. */
export const probationMs = 10 * 60_000
/** A note about when probation began is worth nothing after so long. */
const noteMs = 24 * 3_600_000

const shape = /^(([np])\.([A-Za-z0-9_-]{12})\.([0-9a-z]{8,9}))\.([A-Za-z0-9_-]{43})$/

/** What a cookie of the edge says: `passport`, or that its address is on probation since a time. */
export type Paper =
  | { readonly kind: 'passport'; readonly id: string }
  | { readonly kind: 'probation'; readonly sinceMs: number }

/** Writes and reads passports: `p.<id>.<end>.<signature>`, and notes of probation: `n.<id>.<begin>.<signature>`. */
export interface PassportOffice {
  /** Null: it is none of ours, or over. A note holds only for the address that it was given to. */
  read(cookie: string, address: string, nowMs: number): Paper | null
  /** Values of cookies. */
  issue(nowMs: number): string
  note(address: string, nowMs: number): string
}

/** Creates the office. `key`: secret, 32 bytes. */
export function createPassportOffice(key: Uint8Array, random: Random): PassportOffice {
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')
  const isSigned = (text: string, signature: string): boolean =>
    timingSafeEqual(Buffer.from(sign(text)), Buffer.from(signature))
  const stamp = (kind: 'n' | 'p', timeMs: number): string =>
    `${kind}.${randomToken(random, 9)}.${timeMs.toString(36)}`
  return {
    read: (cookie, address, nowMs) => {
      const stamped = readStamp(cookie)
      if (stamped === null) return null
      const { text, kind, id, timeMs, signature } = stamped
      if (kind === 'p') {
        return timeMs > nowMs && isSigned(text, signature) ? { kind: 'passport', id } : null
      }
      const isFresh = timeMs <= nowMs && nowMs - timeMs < noteMs
      return isFresh && isSigned(`${text} ${address}`, signature)
        ? { kind: 'probation', sinceMs: timeMs }
        : null
    },
    issue: (nowMs) => {
      const text = stamp('p', nowMs + validMs)
      return `${text}.${sign(text)}`
    },
    note: (address, nowMs) => {
      const text = stamp('n', nowMs)
      return `${text}.${sign(`${text} ${address}`)}`
    },
  }
}

function readStamp(cookie: string) {
  const match = shape.exec(cookie)
  if (match === null) return null
  const [text = '', kind = '', id = '', time = '', signature = ''] = match.slice(1)
  return { text, kind, id, timeMs: Number.parseInt(time, 36), signature }
}

/** The field that gives a cookie to a browser. */
export function setCookie(value: string, isSecure: boolean): string {
  const attributes = `Path=/; Max-Age=${validMs / 1000}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return `${passportCookie}=${value}; ${attributes}`
}
