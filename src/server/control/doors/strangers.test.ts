import { afterEach, describe, expect, test } from 'vitest'
import { virtualClock } from '../../../kernel/std/index.ts'
import { closeAll, op, openWorld, type World } from '../../../../test/support/control/doors.ts'
import { hostName, isLoopback } from './guards.ts'

afterEach(closeAll)

describe('strangers', () => {
  test('names that are not ours are refused (DNS rebinding)', async () => {
    const { send, doors } = await openWorld({}, { hosts: ['holdfast.example'] })
    const { port } = new URL(doors.url)
    const statusOf = async (host: string): Promise<number> =>
      (await send('/ops/test.echo', op({}, { host }))).status
    for (const host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      `[::1]:${port}`,
      'holdfast.example',
    ]) {
      expect(await statusOf(host)).toBe(200)
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.',
      '[',
    ]) {
      expect([400, 421]).toContain(await statusOf(host))
    }
    expect((await send('/healthz', { headers: { host: 'evil.example' } })).json).toMatchObject({
      code: 'control.wrong-host',
    })
  })

  test('pages of other sites are refused', async () => {
    const { send, doors } = await openWorld()
    const own = await send('/ops/test.echo', op({}, { origin: doors.url }))
    expect(own.status).toBe(200)
    for (const origin of [
      'http://evil.example',
      'null',
      'http://localhost:1',
      doors.url.replace('http', 'https'),
    ]) {
      expect((await send('/ops/test.echo', op({}, { origin }))).json).toMatchObject({
        status: 403,
        code: 'control.cross-origin',
      })
    }
    expect((await send('/ops/test.echo', op({}, { 'sec-fetch-site': 'cross-site' }))).status).toBe(403)
    const preflight = await send('/ops/test.echo', {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example' },
    })
    expect([403, 404]).toContain(preflight.status)
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('names and addresses are told apart', () => {
    expect(hostName('[::1]:8400')).toBe('::1')
    expect(hostName('a b')).toBeNull()
    expect(hostName('evil.example/@localhost')).toBeNull()
    expect(isLoopback('127.1.2.3')).toBe(true)
    expect(isLoopback('127.0.0.1.evil.example')).toBe(false)
    expect(isLoopback('10.0.0.1')).toBe(false)
  })
})

describe('sessions over HTTP', () => {
  const json = { 'content-type': 'application/json' }

  async function signIn(here: World): Promise<{ cookie: string; header: string }> {
    const { url } = await here.house.access.createLink({ actor: 'root', permission: 'administer' }, undefined)
    const link = url.split('=')[1] ?? ''
    const { status, headers, text } = await here.send('/ops/access.sign-in', {
      body: JSON.stringify({ link }),
      headers: { ...json, origin: here.doors.url },
    })
    expect(status).toBe(200)
    const header = headers['set-cookie']?.[0] ?? ''
    const cookie = header.split(';')[0] ?? ''
    expect(text).not.toContain(cookie.split('=')[1])
    return { cookie, header }
  }

  test('the cookie has its flags', async () => {
    const { header } = await signIn(await openWorld())
    expect(header).toMatch(
      /^holdfast_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=60480\d$/,
    )
  })

  test('a cookie needs an Origin of ours', async () => {
    const here = await openWorld()
    const { cookie } = await signIn(here)
    const call = (headers: object) =>
      here.send('/ops/test.echo', { body: '{}', headers: { ...json, cookie, ...headers } })
    expect((await call({ origin: here.doors.url })).status).toBe(200)
    expect((await call({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    expect((await call({})).status).toBe(403)
    expect((await call({ origin: 'http://evil.example' })).status).toBe(403)
  })

  test('signing out ends the session and the cookie', async () => {
    const here = await openWorld()
    const { cookie } = await signIn(here)
    const headers = { ...json, cookie, origin: here.doors.url }
    const out = await here.send('/ops/access.sign-out', { body: '{}', headers })
    expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0')
    expect((await here.send('/ops/test.echo', { body: '{}', headers })).status).toBe(401)
  })

  test('links are guessed ten times a minute at most', async () => {
    const here = await openWorld({ clock: virtualClock() })
    const statuses: number[] = []
    for (let number = 0; number < 12; number++) {
      const body = JSON.stringify({ link: 'x'.repeat(43) })
      statuses.push((await here.send('/ops/access.sign-in', { body, headers: json })).status)
    }
    expect(statuses).toEqual([...(Array(10).fill(401) as number[]), 429, 429])
  })
})
