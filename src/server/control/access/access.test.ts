import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { array, assert, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom, virtualClock, type VirtualClock } from '../../../kernel/std/index.ts'
import { memoryTimeline, type Timeline } from '../../../kernel/timeline/index.ts'
import {
  callAs,
  slowTimeline,
  somebody,
  testHouse,
  type TestHouse,
} from '../../../../test/support/control/house.ts'
import { addressBucket, hashToken } from './credentials.ts'
import { accessBounds, accessFold, type AccessState } from './fold.ts'
import { linkLifeMs, sessionLifeMs } from './access.ts'
import { ensureRootToken } from './root-token.ts'
import { serviceToken } from './service-tokens.ts'

const people = { kim: { role: 'operate' as const }, lee: { role: 'view' as const } }
const nobody = { bearer: null, session: null, address: '127.0.0.1' }
const root = somebody('administer', 'root')

interface World extends TestHouse {
  readonly clock: VirtualClock
  readonly timeline: Timeline
}

async function world(over: Parameters<typeof testHouse>[0] = {}): Promise<World> {
  const clock = (over?.clock as VirtualClock | undefined) ?? virtualClock()
  const timeline = over?.timeline ?? memoryTimeline({ clock })
  const options = { clock, timeline, people, rootToken: 'r'.repeat(43), ...over }
  return { ...(await testHouse(options)), clock, timeline }
}

const linkFor = async ({ house }: World, person?: string): Promise<string> =>
  (await house.access.createLink(root, person)).url.split('=')[1] ?? ''

describe('sign-in links', () => {
  test('are good once', async () => {
    const here = await world()
    const link = await linkFor(here, 'kim')
    const session = await here.house.access.redeemLink(link)
    expect(session).toMatchObject({ actor: 'person:kim', role: 'operate' })
    await expect(here.house.access.redeemLink(link)).rejects.toMatchObject({ code: 'access.unauthenticated' })
    expect((await here.facts('access.sign-in-refused')).length).toBe(1)
  })

  test('are good once also for two at the same instant', async () => {
    const here = await world({ timeline: slowTimeline(memoryTimeline()) })
    const link = await linkFor(here, 'kim')
    const both = await Promise.allSettled([link, link].map((each) => here.house.access.redeemLink(each)))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('expire after ten minutes', async () => {
    const here = await world()
    const [late, inTime] = [await linkFor(here, 'kim'), await linkFor(here, 'kim')]
    await here.clock.advance(linkLifeMs - 1)
    await here.house.access.redeemLink(inTime)
    await here.clock.advance(1)
    await expect(here.house.access.redeemLink(late)).rejects.toThrow('has expired')
  })

  test('are for people of the environment file, or for root itself', async () => {
    const here = await world()
    await expect(linkFor(here, 'kin')).rejects.toMatchObject({
      code: 'access.unknown-person',
      hint: 'did you mean "kim"?',
    })
    await expect(linkFor(here, 'constructor')).rejects.toMatchObject({ code: 'access.unknown-person' })
    const ofToken = here.house.access.createLink(somebody('administer', 'token:ci'), undefined)
    await expect(ofToken).rejects.toMatchObject({ code: 'access.unknown-person' })
    expect(await here.house.access.redeemLink(await linkFor(here))).toMatchObject({
      actor: 'root',
      role: 'administer',
    })
  })

  test('of a person whom the file no longer names are refused', async () => {
    const here = await world()
    const link = await linkFor(here, 'kim')
    const next = await world({ clock: here.clock, timeline: here.timeline, people: {} })
    await expect(next.house.access.redeemLink(link)).rejects.toMatchObject({ code: 'access.unauthenticated' })
  })
})

describe('sessions', () => {
  const callerOf = ({ house }: World, session: string) =>
    house.access.authenticate({ ...nobody, session }).caller

  test('survive a restart and end after seven days', async () => {
    const here = await world()
    const { token } = await here.house.access.redeemLink(await linkFor(here, 'kim'))
    await here.house.stop()
    const next = await world({ clock: here.clock, timeline: here.timeline })
    expect(callerOf(next, token)).toEqual({ actor: 'person:kim', permission: 'operate' })
    await here.clock.advance(sessionLifeMs - 1)
    expect(callerOf(next, token).actor).toBe('person:kim')
    await here.clock.advance(1)
    expect(callerOf(next, token)).toEqual({ actor: 'anonymous', permission: 'public' })
  })

  test('give the role that the file says today', async () => {
    const here = await world()
    const { token } = await here.house.access.redeemLink(await linkFor(here, 'kim'))
    const lower = await world({
      clock: here.clock,
      timeline: here.timeline,
      people: { kim: { role: 'view' } },
    })
    expect(callerOf(lower, token).permission).toBe('view')
    const gone = await world({ clock: here.clock, timeline: here.timeline, people: {} })
    expect(callerOf(gone, token).permission).toBe('public')
  })

  test('end at sign-out', async () => {
    const here = await world()
    const { token } = await here.house.access.redeemLink(await linkFor(here, 'kim'))
    const visitor = here.house.access.authenticate({ ...nobody, session: token })
    await here.house.access.endSession(visitor)
    expect(callerOf(here, token).actor).toBe('anonymous')
  })

  test('of a stranger are nobody', async () => {
    const here = await world()
    for (const session of ['x'.repeat(43), 'constructor', '__proto__', '']) {
      expect(callerOf(here, session).actor).toBe('anonymous')
    }
  })
})

describe('tokens', () => {
  const callerOf = ({ house }: World, bearer: string) =>
    house.access.authenticate({ ...nobody, bearer }).caller

  test('root is whoever holds the root token', async () => {
    const here = await world()
    expect(callerOf(here, 'r'.repeat(43))).toEqual({ actor: 'root', permission: 'administer' })
    expect(() => callerOf(here, 's'.repeat(43))).toThrow('the token is not valid')
    const without = await world({ rootToken: null })
    expect(() => callerOf(without, 'r'.repeat(43))).toThrow('the token is not valid')
  })

  test('work until they are revoked or expire', async () => {
    const here = await world()
    const ci = await here.house.access.createToken(root, { name: 'ci', role: 'operate', days: 2 })
    const bot = await here.house.access.createToken(root, { name: 'bot', role: 'view' })
    expect(callerOf(here, ci)).toEqual({ actor: 'token:ci', permission: 'operate' })
    expect(await here.house.access.revokeToken(root, 'bot')).toBe(true)
    expect(await here.house.access.revokeToken(root, 'bot')).toBe(false)
    expect(() => callerOf(here, bot)).toThrow('the token is not valid')
    await here.clock.advance(2 * 86_400_000)
    expect(() => callerOf(here, ci)).toThrow('the token is not valid')
    expect(here.house.access.tokens()).toEqual([])
  })

  test('have names of their own, also for two at the same instant', async () => {
    const here = await world({ timeline: slowTimeline(memoryTimeline()) })
    const make = () => here.house.access.createToken(root, { name: 'ci', role: 'view' })
    const both = await Promise.allSettled([make(), make()])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expect(make()).rejects.toMatchObject({ code: 'access.token-exists' })
  })

  test('survive a restart, and so does their revocation', async () => {
    const here = await world()
    const kept = await here.house.access.createToken(root, { name: 'kept', role: 'view' })
    const gone = await here.house.access.createToken(root, { name: 'gone', role: 'view' })
    await here.house.access.revokeToken(root, 'gone')
    const next = await world({ clock: here.clock, timeline: here.timeline })
    expect(callerOf(next, kept).actor).toBe('token:kept')
    expect(() => callerOf(next, gone)).toThrow('the token is not valid')
  })

  test('a token cannot call what its role does not permit', async () => {
    const here = await world()
    const bearer = await here.house.access.createToken(root, { name: 'ci', role: 'view' })
    const call = here.house.call({
      operation: 'test.change',
      input: { what: 'it' },
      credentials: { ...nobody, bearer },
      signal: new AbortController().signal,
    })
    await expect(call).rejects.toMatchObject({ code: 'access.denied' })
    expect(await callAs(here.house, root, { operation: 'access.list-tokens' })).toMatchObject({
      value: { tokens: [{ name: 'ci', role: 'view' }] },
    })
  })
})

describe('the fold', () => {
  test('stays bounded whatever happens', () => {
    let state: AccessState = accessFold.initial
    const fact = (sequence: number, kind: string, data: object) =>
      ({
        sequence,
        kind,
        data,
        at: sequence,
        id: '',
        severity: 'info',
        subject: null,
        actor: '',
        correlation: null,
        hash: '',
      }) as never
    for (let number = 1; number <= accessBounds.links + 50; number++) {
      const data = { actor: 'root', role: 'view', hash: `h${number}`, expiresAt: number + 1_000_000 }
      state = accessFold.step(state, fact(number, 'access.sign-in-link-created', data))
    }
    expect(Object.keys(state.links)).toHaveLength(accessBounds.links)
    expect(state.links['h1']).toBeUndefined()
    const data = { actor: 'root', role: 'view', hash: 'late', expiresAt: 9_000_000 }
    state = accessFold.step(state, fact(5_000_000, 'access.sign-in-link-created', data))
    expect(Object.keys(state.links)).toEqual(['late'])
  })
})

describe('the bucket of an address', () => {
  test('is an IPv4 address itself and the /64 of an IPv6 address', () => {
    expect(addressBucket('192.0.2.7')).toBe('192.0.2.7')
    expect(addressBucket('::ffff:192.0.2.7')).toBe('192.0.2.7')
    expect(addressBucket('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
    expect(addressBucket('2001:db8::1')).toBe('2001:db8:0:0::/64')
    expect(addressBucket('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
    expect(addressBucket('::1')).toBe('0:0:0:0::/64')
  })

  test('is one for all hosts of a /64', () => {
    const group = integer({ min: 1, max: 0xffff }).map((value) => value.toString(16))
    assert(
      property(array(group, { minLength: 8, maxLength: 8 }), group, (groups, other) => {
        const neighbour = [...groups.slice(0, 7), other]
        expect(addressBucket(neighbour.join(':'))).toBe(addressBucket(groups.join(':')))
      }),
    )
  })
})

describe('the root token', () => {
  test('is made once, also by two at the same instant, and is the owner\u2019s only', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-root-'))
    try {
      const tokens = await Promise.all([1, 2, 3].map(() => ensureRootToken(directory, systemRandom)))
      expect(new Set(tokens).size).toBe(1)
      const file = join(directory, 'root.token')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await readFile(file, 'utf8')).trim()).toBe(tokens[0])
      await writeFile(file, 'rubbish')
      await expect(ensureRootToken(directory, systemRandom)).rejects.toMatchObject({
        code: 'access.root-token-unreadable',
      })
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('is hashed as SHA-256', () => {
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('services of the environment file', () => {
  const rootToken = 'r'.repeat(43)
  const callerOf = ({ house }: World, bearer: string) =>
    house.access.authenticate({ ...nobody, bearer }).caller

  test('come in with a token that derives from the root token, and may use', async () => {
    const here = await world({ services: ['web', 'mailer'] })
    const actors = ['web', 'mailer'].map((service) => callerOf(here, serviceToken(rootToken, service)))
    expect(actors).toEqual([
      { actor: 'service:web', permission: 'use' },
      { actor: 'service:mailer', permission: 'use' },
    ])
    expect(serviceToken(rootToken, 'web')).toMatch(/^[\w-]{43}$/)
  })

  test('do not when the file does not name them, or with the token of another root', async () => {
    const here = await world({ services: ['web'] })
    for (const token of [serviceToken(rootToken, 'gone'), serviceToken('s'.repeat(43), 'web')])
      expect(() => callerOf(here, token)).toThrow('not valid')
    const rootless = await world({ services: ['web'], rootToken: null })
    expect(() => callerOf(rootless, serviceToken(rootToken, 'web'))).toThrow('not valid')
  })
})
