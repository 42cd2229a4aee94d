import { createHash, generateKeyPairSync } from 'node:crypto'
import { SignJWT, UnsecuredJWT, exportJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { EdgeIdentity } from '../../../../contracts/edge-policy.ts'
import { createLimiter, parseLimit } from '../../../../kernel/limit/index.ts'
import { systemRandom, virtualClock, type VirtualClock } from '../../../../kernel/std/index.ts'
import { directClient, keyReader, nobody, type Identity } from '../../pipeline/index.ts'
import type { Handout, IdentityMaterial } from '../shared/index.ts'
import { createGate, type IdentityGate } from './gate.ts'
import { Memory } from './memory.ts'
import { createPassportOffice, probationMs } from './passports.ts'
import { unsign } from './sessions.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const client = directClient('203.0.113.7')
let jwk: object

beforeAll(async () => {
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }
})

const jwt: EdgeIdentity['jwt'] = {
  jwks: 'https://login.example/keys',
  issuer: 'https://login.example',
  audience: ['shop'],
  claim: 'sub',
  from: { kind: 'authorization' },
}

interface Bed {
  readonly gate: IdentityGate
  readonly clock: VirtualClock
  readonly material: IdentityMaterial
  unknownKeys: number
}

function open(config: Partial<EdgeIdentity>, { verifications = '600/min per ip', material = {} } = {}): Bed {
  const clock = virtualClock(Date.UTC(2026, 0, 1))
  const rules = [verifications, '2/day per ip'].map((rule, index) => ({
    name: `${index}`,
    rule: parseLimit(rule),
  }))
  const limiter = createLimiter({ limits: rules, capacity: 1000, seed: [1, 2] })
  const identity: EdgeIdentity = {
    jwt: null,
    apiKeys: null,
    session: null,
    passport: false,
    verificationLimit: 0,
    passportLimit: 1,
    ...config,
  }
  const known: IdentityMaterial = {
    jwks: { keys: [jwk] },
    apiKeys: {},
    sessionSecrets: [],
    passportKey: systemRandom.bytes(32),
    counterPassword: '',
    ...material,
  }
  const handout = { policy: { identity }, identity: known } as unknown as Handout
  const limits = rules.map(({ rule }) => {
    const read = keyReader(rule)
    return { keyOf: (from: Parameters<typeof read>[0]) => limiter.hash(read(from)) }
  })
  const bed = { clock, material: known, unknownKeys: 0 }
  const gate = createGate({
    handout,
    limiter,
    limits: limits as never,
    clock,
    limitTimeMs: () => clock.now(),
    random: systemRandom,
    onUnknownKey: () => bed.unknownKeys++,
  })
  if (gate === null) throw new Error('there is no gate')
  return Object.assign(bed, { gate })
}

interface TokenParts {
  readonly claims?: Record<string, unknown>
  readonly key?: typeof pair.privateKey
  readonly kid?: string
  readonly endsAfterS?: number
  readonly audience?: string
}

function token({
  claims = {},
  key = pair.privateKey,
  kid = 'one',
  endsAfterS = 60,
  audience = 'shop',
}: TokenParts = {}) {
  return new SignJWT({ sub: '42', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer('https://login.example')
    .setAudience(audience)
    .setExpirationTime(Date.UTC(2026, 0, 1) / 1000 + endsAfterS)
    .sign(key)
}

const bearer = (text: string) => ({ fields: ['Authorization', `Bearer ${text}`] })
const user = async (gate: IdentityGate, head: { fields: string[] }): Promise<string> =>
  (await gate.identify(head, client)).user

describe('tokens', () => {
  test('prove a user, and are known at once the second time until they end', async () => {
    const { gate, clock } = open({ jwt })
    const head = bearer(await token())
    const first = gate.identify(head, client)
    expect(first).toBeInstanceOf(Promise)
    expect(await first).toEqual({ ...nobody, user: 'user:42' })
    expect((gate.identify(head, client) as Identity).user).toBe('user:42')
    await clock.advance(66_000)
    const late = gate.identify(head, client)
    expect(late).toBeInstanceOf(Promise)
    expect(await late).toBe(nobody)
  })

  test('that are no good prove nobody', async () => {
    const { gate } = open({ jwt })
    const good = await token()
    const [header = '', payload = '', signature = ''] = good.split('.')
    const hmacKey = new TextEncoder().encode(JSON.stringify(jwk))
    const symmetric = await new SignJWT({ sub: '42' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuer('https://login.example')
      .setAudience('shop')
      .setExpirationTime(Date.UTC(2026, 0, 1) / 1000 + 60)
      .sign(hmacKey)
    const forged = Buffer.from(JSON.stringify({ sub: 'root', aud: 'shop' })).toString('base64url')
    for (const bad of [
      await token({ key: other.privateKey }),
      await token({ endsAfterS: -60 }),
      await token({ audience: 'another shop' }),
      await token({ claims: { sub: { not: 'a text' } } }),
      new UnsecuredJWT({ sub: '42', aud: 'shop', iss: 'https://login.example' }).encode(),
      symmetric,
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.`,
      'a.b.c',
      'x'.repeat(9000),
      '',
    ]) {
      expect(await user(gate, bearer(bad))).toBe('')
    }
    expect(await user(gate, { fields: [] })).toBe('')
    expect(await user(gate, { fields: ['authorization', `Basic ${good}`] })).toBe('')
    expect(await user(gate, bearer(good))).toBe('user:42')
  })

  test('stand in a cookie or header as well, and name the user by any claim', async () => {
    const claims = { uid: 7 }
    const cookie = open({ jwt: { ...jwt, claim: 'uid', from: { kind: 'cookie', name: 'id' } } })
    expect(await user(cookie.gate, { fields: ['cookie', `id=${await token({ claims })}`] })).toBe('user:7')
    const header = open({ jwt: { ...jwt, from: { kind: 'header', name: 'x-token' } } })
    expect(await user(header.gate, { fields: ['X-Token', await token()] })).toBe('user:42')
  })

  test('of a key that is not known ask for keys, and are good as soon as there are', async () => {
    const bed = open({ jwt }, { material: { jwks: null } })
    const head = bearer(await token())
    expect(await user(bed.gate, head)).toBe('')
    bed.gate.renew({ ...bed.material, jwks: { keys: [{ ...jwk, kid: 'two' }] } })
    expect(await user(bed.gate, head)).toBe('')
    expect(bed.unknownKeys).toBe(1)
    bed.gate.renew({ ...bed.material, jwks: { keys: [jwk] } })
    expect(await user(bed.gate, head)).toBe('user:42')
  })

  test('that were not seen yet are verified up to a limit of the address; what is known goes on', async () => {
    const { gate } = open({ jwt }, { verifications: '2/min per ip' })
    const heads = await Promise.all(
      ['1', '2', '3'].map(async (sub) => bearer(await token({ claims: { sub } }))),
    )
    const users = []
    for (const head of heads) users.push(await user(gate, head))
    expect(users).toEqual(['user:1', 'user:2', ''])
    expect((gate.identify(heads[0] ?? { fields: [] }, client) as Identity).user).toBe('user:1')
  })

  test('are verified once when they come at once', async () => {
    const { gate } = open({ jwt })
    const head = bearer(await token())
    const [first, second] = [gate.identify(head, client), gate.identify(head, client)]
    expect(await Promise.all([first, second])).toEqual([1, 2].map(() => ({ ...nobody, user: 'user:42' })))
  })
})

describe('API keys and sessions', () => {
  test('a key is known by its digest and counts under its name', () => {
    const digest = createHash('sha256').update('s3cret').digest('hex')
    const { gate } = open(
      { apiKeys: { header: 'x-api-key', file: '' } },
      { material: { apiKeys: { [digest]: 'partner' } } },
    )
    const identify = (key: string) => gate.identify({ fields: ['X-API-Key', key] }, client)
    expect(identify('s3cret')).toEqual({ ...nobody, key: 'key:partner' })
    expect(identify('S3cret')).toBe(nobody)
    expect(identify(digest)).toBe(nobody)
    expect(identify('')).toBe(nobody)
  })

  test('a session is signed as cookie-signature and express-session sign', () => {
    // The example of cookie-signature's own tests.
    const cookie = encodeURIComponent('s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI')
    expect(unsign(cookie, ['tobiiscool'])).toBe('hello')
    expect(unsign(cookie, ['new', 'tobiiscool'])).toBe('hello')
    for (const bad of [
      cookie.replace('hello', 'hellp'),
      cookie.slice(0, -1),
      's%3Ahello',
      's%3A.x',
      'hello',
      '%',
      '',
    ]) {
      expect(unsign(bad, ['tobiiscool'])).toBeNull()
    }
    expect(unsign(cookie, ['luna'])).toBeNull()
    const config = { session: { cookie: 'sid', secret: { kind: 'file', file: '' } } } as const
    const { gate } = open(config, { material: { sessionSecrets: ['tobiiscool'] } })
    expect(gate.identify({ fields: ['cookie', `a=b; sid=${cookie}`] }, client)).toMatchObject({
      user: 'user:hello',
    })
  })
})

describe('passports', () => {
  const cookieIn = (field: string | null): { fields: string[] } => ({
    fields: ['cookie', field?.split(';')[0] ?? ''],
  })

  test('are earned by behaving for ten minutes, hold on any address, and end', async () => {
    const { gate, clock } = open({ passport: true })
    const note = cookieIn(gate.offer({ fields: [] }, client, false))
    expect(gate.identify(note, client)).toBe(nobody)
    await clock.advance(probationMs - 1)
    expect(gate.offer(note, client, false)).toBeNull()
    await clock.advance(1)
    const field = gate.offer(note, client, true)
    expect(field).toMatch(/^holdfast-passport=p\..+; HttpOnly; SameSite=Lax; Secure$/)
    const passport = cookieIn(field)
    const elsewhere = directClient('198.51.100.1')
    const known = gate.identify(passport, client) as Identity
    expect(known.passport).toMatch(/^passport:./)
    expect(gate.identify(passport, elsewhere)).toEqual(known)
    expect(gate.offer(passport, client, false)).toBeNull()
    await clock.advance(12 * 3_600_000)
    expect(gate.identify(passport, client)).toBe(nobody)
  })

  test('are not for who was refused, not for a note of another address, and few for one address', async () => {
    const { gate, clock } = open({ passport: true })
    const note = cookieIn(gate.offer({ fields: [] }, client, false))
    await clock.advance(probationMs)
    expect(gate.offer(note, directClient('198.51.100.1'), false)).toContain('=n.')
    gate.blame(client)
    expect(gate.offer(note, client, false)).toBeNull()
    await clock.advance(probationMs)
    const given = [1, 2, 3].map(() => gate.offer(note, client, false))
    expect(given.map((field) => field?.includes('=p.') ?? false)).toEqual([true, true, false])
  })

  test('cannot be forged or changed', () => {
    const office = createPassportOffice(systemRandom.bytes(32), systemRandom)
    const nowMs = Date.UTC(2026, 0, 1)
    const passport = office.issue(nowMs)
    expect(office.read(passport, 'a', nowMs)?.kind).toBe('passport')
    for (let index = 0; index < passport.length; index++) {
      const changed = `${passport.slice(0, index)}${passport[index] === 'a' ? 'b' : 'a'}${passport.slice(index + 1)}`
      expect(office.read(changed, 'a', nowMs)).toBeNull()
    }
    expect(createPassportOffice(systemRandom.bytes(32), systemRandom).read(passport, 'a', nowMs)).toBeNull()
    expect(office.read(office.note('a', nowMs).replace(/^n/, 'p'), 'a', nowMs)).toBeNull()
  })
})

test('memory is bounded, forgets what is over, and keeps what is used', () => {
  const memory = new Memory<number>(100)
  for (let index = 0; index < 1000; index++) {
    memory.set(`${index}`, index, 1000)
    memory.get('0', 0)
  }
  expect(memory.get('0', 0)).toBe(0)
  expect(memory.get('0', 1000)).toBeUndefined()
  expect(memory.get('500', 0)).toBeUndefined()
  expect(memory.get('999', 0)).toBe(999)
})
