import type { Client } from './client-address.ts'

/** What a request proves about who sent it, as subjects; an empty text: nothing of that kind. */
export interface Identity {
  /** `user:42`: a verified token or session. */
  readonly user: string
  /** `key:partner`: an API key. */
  readonly key: string
  /** `passport:<id>`: a cookie that the edge signed. */
  readonly passport: string
}

/** Who proves nothing. */
export const nobody: Identity = { user: '', key: '', passport: '' }

/** The user that a request proves; without one its address counts. */
export function userOf(who: Identity, client: Client): string {
  return who.user || who.key || client.subject
}

/** The strongest that a request proves: a user, an API key, a passport, its address. */
export function clientOf(who: Identity, client: Client): string {
  return who.user || who.key || who.passport || client.subject
}
