import { describe, expect, test } from 'vitest'
import type { EdgeIdentity } from '../../../../../contracts/edge-policy.ts'
import { virtualClock } from '../../../../../kernel/std/index.ts'
import { parseApiKeys, parsePublicKeys, parseSecrets } from './material.ts'
import { createIdentityWatch } from './watch.ts'

const address = 'https://login.example/keys'
const key = (kid: string): string => JSON.stringify({ keys: [{ kty: 'EC', kid }] })
const kids = (jwks: { readonly keys: readonly object[] } | null | undefined) =>
  jwks?.keys.map((each) => (each as { kid: string }).kid)

/** A watch whose sources are texts; an Error is thrown instead. */
function open(texts: Record<string, string | Error>, remembered: string | null = null) {
  const clock = virtualClock()
  const kept: string[] = []
  const asked: string[] = []
  const read = async (name: string): Promise<string> => {
    const text = texts[name] ?? new Error('ENOENT')
    if (text instanceof Error) throw text
    return text
  }
  const store = {
    passportKey: new Uint8Array(32),
    variable: () => undefined,
    read,
    fetch: (name: string) => {
      asked.push(name)
      return read(name)
    },
    remembered: () => remembered,
    remember: (_: string, text: string) => void kept.push(text),
  }
  const ill: string[] = []
  const watch = createIdentityWatch({ store, clock, unhealthy: () => ill })
  return { watch, clock, kept, ill, asked, fetches: () => asked.length }
}

const identity = (parts: Partial<EdgeIdentity>): EdgeIdentity => ({
  jwt: null,
  apiKeys: null,
  session: null,
  passport: false,
  verificationLimit: 0,
  passportLimit: 1,
  ...parts,
})
const jwt: EdgeIdentity['jwt'] = {
  jwks: address,
  issuer: null,
  audience: [],
  claim: 'sub',
  from: { kind: 'authorization' },
}
const digest = 'a'.repeat(64)

describe('the watch', () => {
  test('waits for a file that somebody has yet to write, and says so when it does not come', async () => {
    const missing = Object.assign(new Error('ENOENT: no keys.json'), { code: 'ENOENT' })
    const { watch, clock } = open({ 'keys.json': missing })
    await watch.accept({ upstreams: [], identity: identity({ jwt: { ...jwt, jwks: 'keys.json' } }) })
    expect((await watch.look()).notes).toEqual([])
    await clock.advance(10_000)
    expect((await watch.look()).notes).toMatchObject([{ what: 'identity-refused', file: 'keys.json' }])
  })

  test('does not wait for the network; keys come with the next look and are kept for the next process', async () => {
    const { watch, kept } = open({ [address]: key('one') })
    expect((await watch.accept({ upstreams: [], identity: identity({ jwt }) })).jwks).toBeNull()
    const { material, notes } = await watch.look()
    expect(kids(material?.jwks)).toEqual(['one'])
    expect(notes).toEqual([{ what: 'identity-reloaded', file: address, message: '' }])
    expect(kept).toEqual([key('one')])
  })

  test('an address that cannot be reached leaves the old keys, is said once and tried again', async () => {
    const texts: Record<string, string | Error> = { [address]: new Error('it answers 500') }
    const { watch, clock, fetches } = open(texts, key('old'))
    expect(kids((await watch.accept({ upstreams: [], identity: identity({ jwt }) })).jwks)).toEqual(['old'])
    const first = await watch.look()
    expect(first).toEqual({
      material: undefined,
      notes: [{ what: 'identity-refused', file: address, message: 'it answers 500' }],
    })
    expect(await watch.look()).toEqual({ material: undefined, notes: [] })
    expect(fetches()).toBe(1)
    await clock.advance(30_000)
    expect(await watch.look()).toEqual({ material: undefined, notes: [] })
    expect(fetches()).toBe(2)
    texts[address] = key('new')
    await clock.advance(30_000)
    expect(kids((await watch.look()).material?.jwks)).toEqual(['new'])
  })

  test('an unknown key brings the next look forward, but not below half a minute', async () => {
    const { watch, clock, fetches } = open({ [address]: key('one') })
    await watch.accept({ upstreams: [], identity: identity({ jwt }) })
    await watch.look()
    watch.wantKeys()
    await watch.look()
    expect(fetches()).toBe(1)
    await clock.advance(30_000)
    await watch.look()
    expect(fetches()).toBe(2)
    await clock.advance(60_000)
    await watch.look()
    expect(fetches()).toBe(2)
    await clock.advance(240_000)
    await watch.look()
    expect(fetches()).toBe(3)
  })

  test('files count at once and when they change; one that is no good leaves the old', async () => {
    const texts: Record<string, string | Error> = { keys: JSON.stringify({ partner: digest }) }
    const { watch } = open(texts)
    const config = identity({ apiKeys: { header: 'x-api-key', file: 'keys' } })
    expect((await watch.accept({ upstreams: [], identity: config })).apiKeys).toEqual({ [digest]: 'partner' })
    expect(await watch.look()).toEqual({ material: undefined, notes: [] })
    texts['keys'] = '{"partner":"secret"}'
    expect((await watch.look()).notes).toMatchObject([
      { what: 'identity-refused', message: expect.any(String) as string },
    ])
    expect(await watch.look()).toEqual({ material: undefined, notes: [] })
    expect((await watch.accept({ upstreams: [], identity: config })).apiKeys).toEqual({ [digest]: 'partner' })
    texts['keys'] = JSON.stringify({ other: digest })
    expect((await watch.look()).material?.apiKeys).toEqual({ [digest]: 'other' })
  })

  test('a variable that is not set is said, with what to do', async () => {
    const { watch } = open({})
    const session = { cookie: 'sid', secret: { kind: 'variable', variable: 'SECRET' } } as const
    expect((await watch.accept({ upstreams: [], identity: identity({ session }) })).sessionSecrets).toEqual(
      [],
    )
    expect((await watch.look()).notes[0]?.message).toContain('holdfast up')
  })
})

describe('the watch of a service that hands out its keys', () => {
  const config = identity({ jwt: { ...jwt, jwks: { service: 'web', path: '/keys' } } })
  const policyOf = (...weights: readonly number[]) => ({
    identity: config,
    upstreams: [
      {
        name: 'web',
        targets: weights.map((weight, index) => ({
          id: `web/${index + 1}`,
          origin: `http://web-${index + 1}`,
          group: '',
          weight,
        })),
        healthPath: null,
        healthIntervalMs: 2000,
      },
    ],
  })

  test('asks a replica that is well, the next one if it does not answer with keys, and no more than three', async () => {
    const texts: Record<string, string | Error> = {
      'http://web-1/keys': key('of one that is ill'),
      'http://web-2/keys': 'no keys at all',
      'http://web-3/keys': key('three'),
    }
    const { watch, asked, ill, kept } = open(texts)
    ill.push('web/1')
    await watch.accept(policyOf(100, 100, 100))
    const { material, notes } = await watch.look()
    expect(kids(material?.jwks)).toEqual(['three'])
    expect(notes).toEqual([{ what: 'identity-reloaded', file: 'web/keys', message: '' }])
    expect(asked).toEqual(['http://web-2/keys', 'http://web-3/keys'])
    expect(kept).toEqual([key('three')])

    const others = open({})
    await others.watch.accept(policyOf(0, 10, 100, 100, 100))
    await others.watch.look()
    expect(others.asked).toEqual(['http://web-3/keys', 'http://web-4/keys', 'http://web-5/keys'])
  })

  test('tries every second until the first answer, and is silent while nobody can be asked', async () => {
    const texts: Record<string, string | Error> = {}
    const { watch, clock, fetches } = open(texts)
    await watch.accept(policyOf())
    for (let minutes = 0; minutes < 3; minutes++) {
      expect(watch.isWaiting()).toBe(true)
      expect(await watch.look()).toEqual({ material: undefined, notes: [] })
      await clock.advance(60_000)
    }
    await watch.accept(policyOf(100))
    for (const asked of [0, 1, 2]) {
      expect(fetches()).toBe(asked)
      await clock.advance(1000)
      expect(await watch.look()).toEqual({ material: undefined, notes: [] })
      await watch.look()
    }
    await clock.advance(10_000)
    expect((await watch.look()).notes).toEqual([
      { what: 'identity-refused', file: 'web/keys', message: 'ENOENT' },
    ])
    texts['http://web-1/keys'] = key('first')
    await clock.advance(1000)
    expect(kids((await watch.look()).material?.jwks)).toEqual(['first'])
    expect(watch.isWaiting()).toBe(false)
  })

  test('keeps what it had while none answers, and asks again for a key that is not known', async () => {
    const texts: Record<string, string | Error> = { 'http://web-1/keys': key('old') }
    const { watch, clock, fetches } = open(texts)
    await watch.accept(policyOf(100))
    await watch.look()
    texts['http://web-1/keys'] = new Error('it answers 503')
    await clock.advance(29_000)
    await watch.look()
    expect(fetches()).toBe(1)
    await clock.advance(1000)
    expect((await watch.look()).notes).toMatchObject([
      { what: 'identity-refused', message: 'it answers 503' },
    ])
    expect(kids((await watch.accept(policyOf(100))).jwks)).toEqual(['old'])
    texts['http://web-1/keys'] = key('old')
    await clock.advance(1000)
    await watch.look()
    expect(fetches()).toBe(3)

    texts['http://web-1/keys'] = key('new')
    watch.wantKeys()
    await watch.look()
    expect(fetches()).toBe(3)
    await clock.advance(5000)
    expect(kids((await watch.look()).material?.jwks)).toEqual(['new'])
  })

  test('begins with what an earlier process was told', async () => {
    const { watch } = open({}, key('remembered'))
    expect(kids((await watch.accept(policyOf())).jwks)).toEqual(['remembered'])
    expect(watch.isWaiting()).toBe(false)
  })
})

describe('material', () => {
  test('of keys is public only', () => {
    const keys = [{ kty: 'oct', k: 'x' }, { kty: 'EC', d: 'secret' }, { kty: 'RSA', n: 'x' }, 7]
    expect(parsePublicKeys(JSON.stringify({ keys })).keys).toEqual([{ kty: 'RSA', n: 'x' }])
    for (const bad of ['{"keys":[]}', '{}', '[]', 'null', '{', JSON.stringify({ keys: keys.slice(0, 2) })]) {
      expect(() => parsePublicKeys(bad)).toThrow()
    }
  })

  test('of API keys and secrets is what it should be', () => {
    expect(parseApiKeys(JSON.stringify({ a: digest.toUpperCase() }))).toEqual({ [digest]: 'a' })
    for (const bad of ['{"a":"b"}', '{"a b":"x"}', '[]', `{"":"${digest}"}`])
      expect(() => parseApiKeys(bad)).toThrow()
    expect(parseSecrets(' one \n\ntwo\n')).toEqual(['one', 'two'])
    expect(() => parseSecrets(' \n')).toThrow()
  })
})
