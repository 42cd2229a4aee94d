import { accessFacts } from '../../../contracts/index.ts'
import type { Caller, Context } from '../../../kernel/capability/index.ts'
import { closest, HoldfastError, randomToken, lookUp } from '../../../kernel/std/index.ts'
import type { View } from '../../../kernel/timeline/index.ts'
import type { Credentials, Visitor } from '../stages/index.ts'
import { addressBucket, hashToken, sameHash } from './credentials.ts'
import { accessBounds, type AccessState, type Role } from './fold.ts'

/** A person of the environment file. */
export interface Person {
  readonly role: Role
  readonly name?: string | undefined
  readonly knows?: { readonly deeply: readonly string[]; readonly broadly: readonly string[] }
  /** Where to reach them: `email`, `phone`, a name in a chat. */
  readonly reach?: Readonly<Record<string, string>>
  readonly hours?: string | undefined
}

/** People of the environment file, by short name. */
export type People = Readonly<Record<string, Person>>

/** What access stands on. */
export interface AccessGround {
  readonly context: Pick<Context, 'clock' | 'random' | 'record'>
  readonly view: View<AccessState>
  /** Read at every call, so that a changed environment file holds at once. */
  readonly people: () => People
  /** SHA-256 of the root token, hex; null: there is none. */
  readonly rootTokenHash: string | null
  /** Services of the environment file by the hash of their tokens. */
  readonly services: ReadonlyMap<string, string>
  /** Where people reach the console, without a slash at the end. */
  readonly consoleUrl: () => string
}

/** A sign-in link lives this long, and a session this long. */
export const linkLifeMs = 600_000
/** Fixed, not sliding: whoever copies a cookie has it for a week at most. */
export const sessionLifeMs = 604_800_000

/** Who may come in. */
export interface Access {
  /** Errors: `access.unauthenticated` for a bearer token that is not valid; a stale session is nobody. */
  authenticate(credentials: Credentials): Visitor
  /** Errors: `access.unknown-person`. */
  createLink(by: Caller, person: string | undefined): Promise<{ url: string; expiresAt: number }>
  /** Errors: `access.unauthenticated` for a link that is used, expired or wrong. */
  redeemLink(link: string): Promise<StartedSession>
  endSession(visitor: Visitor): Promise<void>
  /** Errors: `access.token-exists`, `access.too-many-tokens`. */
  createToken(by: Caller, wanted: WantedToken): Promise<string>
  revokeToken(by: Caller, name: string): Promise<boolean>
  tokens(): readonly {
    readonly name: string
    readonly role: Role
    readonly createdAt: number
    readonly expiresAt: number | null
  }[]
}

/** A token to be made. */
export interface WantedToken {
  readonly name: string
  readonly role: Role
  readonly days?: number | undefined
}

/** A session that begins; the token is kept nowhere but in the cookie. */
export interface StartedSession {
  readonly actor: string
  readonly role: Role
  readonly token: string
  readonly expiresAt: number
}

function refused(message: string, hint: string): HoldfastError {
  return new HoldfastError({ code: 'access.unauthenticated', kind: 'user', message, hint })
}

const nobody: Caller = { actor: 'anonymous', permission: 'public' }

/** What somebody may do now: a person what the environment file says today, root everything, others nothing. */
function presentRole(actor: string, people: People): Role | null {
  if (actor === 'root') return 'administer'
  const person = actor.startsWith('person:') ? actor.slice('person:'.length) : ''
  return lookUp(people, person)?.role ?? null
}

function bearerCaller(ground: AccessGround, token: string): Caller {
  const hash = hashToken(token)
  if (ground.rootTokenHash !== null && sameHash(ground.rootTokenHash, hash)) {
    return { actor: 'root', permission: 'administer' }
  }
  const service = ground.services.get(hash)
  if (service !== undefined) return { actor: `service:${service}`, permission: 'use' }
  const now = ground.context.clock.now()
  const found = Object.entries(ground.view.state.tokens).find(([, stored]) => sameHash(stored.hash, hash))
  const alive = found !== undefined && (found[1].expiresAt === null || found[1].expiresAt > now)
  if (!alive) throw refused('the token is not valid', 'it may be revoked, expired or mistyped')
  return { actor: `token:${found[0]}`, permission: found[1].role }
}

function sessionCaller(ground: AccessGround, hash: string): Caller | null {
  const { sessions } = ground.view.state
  const session = lookUp(sessions, hash)
  if (session === undefined || session.expiresAt <= ground.context.clock.now()) return null
  const role = presentRole(session.actor, ground.people())
  return role === null ? null : { actor: session.actor, permission: role }
}

function authenticate(ground: AccessGround, credentials: Credentials): Visitor {
  if ('trusted' in credentials) return { caller: credentials.trusted, address: 'inside', sessionHash: null }
  const address = addressBucket(credentials.address)
  if (credentials.bearer !== null) {
    return { caller: bearerCaller(ground, credentials.bearer), address, sessionHash: null }
  }
  const hash = credentials.session === null ? null : hashToken(credentials.session)
  const caller = hash === null ? null : sessionCaller(ground, hash)
  return caller === null
    ? { caller: nobody, address, sessionHash: null }
    : { caller, address, sessionHash: hash }
}

function personFor(ground: AccessGround, by: Caller, person: string | undefined): string {
  if (person === undefined) {
    if (by.actor.startsWith('person:')) return by.actor
    if (by.actor === 'root' || by.actor === 'holdfast') return 'root'
    throw new HoldfastError({
      code: 'access.unknown-person',
      kind: 'user',
      message: `${by.actor} is a program and cannot sign in to the console`,
      hint: 'name a person of the environment file',
      path: 'person',
    })
  }
  const people = ground.people()
  if (Object.hasOwn(people, person)) return `person:${person}`
  const meant = closest(person, Object.keys(people))
  throw new HoldfastError({
    code: 'access.unknown-person',
    kind: 'user',
    message: `the environment file names no person "${person}"`,
    hint: meant === undefined ? 'add the person under "people"' : `did you mean "${meant}"?`,
    path: 'person',
  })
}

async function createLink(
  ground: AccessGround,
  by: Caller,
  person: string | undefined,
): Promise<{ url: string; expiresAt: number }> {
  const { record, clock, random } = ground.context
  const actor = personFor(ground, by, person)
  const role = presentRole(actor, ground.people()) ?? 'view'
  const token = randomToken(random)
  const expiresAt = clock.now() + linkLifeMs
  const data = { actor, role, hash: hashToken(token), expiresAt }
  await record(accessFacts.linkCreated, data, { subject: actor, actor: by.actor })
  return { url: `${ground.consoleUrl()}/#sign-in=${token}`, expiresAt }
}

async function refuseLink(ground: AccessGround, because: string): Promise<never> {
  await ground.context.record(accessFacts.signInRefused, { because }, { actor: 'anonymous' })
  throw refused(`the sign-in link ${because}`, 'get a new one with "holdfast sign-in"; each is good once')
}

/** Redeems a link once: two at the same instant are told apart by `redeeming`, later ones by the fold. */
async function redeemLink(
  ground: AccessGround,
  link: string,
  redeeming: Set<string>,
): Promise<StartedSession> {
  const { record, clock, random } = ground.context
  const linkHash = hashToken(link)
  const { links } = ground.view.state
  const found = lookUp(links, linkHash)
  if (found === undefined || redeeming.has(linkHash)) return refuseLink(ground, 'is not known or was used')
  if (found.expiresAt <= clock.now()) return refuseLink(ground, 'has expired')
  const role = presentRole(found.actor, ground.people())
  if (role === null)
    return refuseLink(ground, `is for ${found.actor}, whom the environment file does not name`)
  redeeming.add(linkHash)
  try {
    const { actor } = found
    const token = randomToken(random)
    const expiresAt = clock.now() + sessionLifeMs
    const data = { actor, role, hash: hashToken(token), linkHash, expiresAt }
    await record(accessFacts.sessionStarted, data, { subject: actor, actor })
    return { actor, role, token, expiresAt }
  } finally {
    redeeming.delete(linkHash)
  }
}

async function endSession(ground: AccessGround, visitor: Visitor): Promise<void> {
  if (visitor.sessionHash === null) return
  const { actor } = visitor.caller
  await ground.context.record(
    accessFacts.sessionEnded,
    { actor, hash: visitor.sessionHash },
    { subject: actor, actor },
  )
}

function refuseToken(ground: AccessGround, name: string): void {
  const { tokens } = ground.view.state
  const now = ground.context.clock.now()
  const alive = Object.entries(tokens).filter(([, { expiresAt }]) => expiresAt === null || expiresAt > now)
  if (alive.some(([existing]) => existing === name)) {
    throw new HoldfastError({
      code: 'access.token-exists',
      kind: 'user',
      message: `there is a token "${name}" already`,
      hint: 'revoke it first, or choose another name',
      path: 'name',
    })
  }
  if (alive.length >= accessBounds.tokens) {
    throw new HoldfastError({
      code: 'access.too-many-tokens',
      kind: 'user',
      message: `there are ${alive.length} tokens, which is as many as there may be`,
      hint: 'revoke those that nobody uses',
    })
  }
}

async function createToken(ground: AccessGround, by: Caller, wanted: WantedToken): Promise<string> {
  const { record, clock, random } = ground.context
  const { name, role, days } = wanted
  refuseToken(ground, name)
  const token = randomToken(random)
  const expiresAt = days === undefined ? null : clock.now() + days * 86_400_000
  const data = { name, role, hash: hashToken(token), expiresAt }
  await record(accessFacts.tokenCreated, data, { subject: `token:${name}`, actor: by.actor })
  return token
}

async function revokeToken(ground: AccessGround, by: Caller, name: string): Promise<boolean> {
  if (!Object.hasOwn(ground.view.state.tokens, name)) return false
  await ground.context.record(
    accessFacts.tokenRevoked,
    { name },
    { subject: `token:${name}`, actor: by.actor },
  )
  return true
}

/** Creates what decides who may come in. */
export function createAccess(ground: AccessGround): Access {
  const redeeming = new Set<string>()
  let creating: Promise<unknown> = Promise.resolve()
  return {
    authenticate: (credentials) => authenticate(ground, credentials),
    createLink: (by, person) => createLink(ground, by, person),
    redeemLink: (link) => redeemLink(ground, link, redeeming),
    endSession: (visitor) => endSession(ground, visitor),
    createToken: (by, wanted) => {
      // One after the other, since two at the same instant would both find the name free.
      const created = creating.then(() => createToken(ground, by, wanted))
      creating = created.catch(() => undefined)
      return created
    },
    revokeToken: (by, name) => revokeToken(ground, by, name),
    tokens: () => {
      const now = ground.context.clock.now()
      return Object.entries(ground.view.state.tokens)
        .filter(([, { expiresAt }]) => expiresAt === null || expiresAt > now)
        .map(([name, { role, createdAt, expiresAt }]) => ({ name, role, createdAt, expiresAt }))
    },
  }
}
