import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { consoleCookie } from '../../src/contracts/console-cookie.ts'
import { describeWith } from '../support/describe-with.ts'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'

/*
 * The wall clock of Holdfast's processes alone is shifted by libfaketime, which reads how far from a file at each look
 * at the clock; the monotonic clock and the times of files stay true. Replicas are given an environment of their own
 * and so see the true time.
 */
const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')
const dayMs = 86_400_000

const environment = {
  name: 'jumps',
  services: { web: { command: [process.execPath, origin], health: '/healthz', replicas: 2 } },
  edge: {
    routes: {
      '/*': { to: 'web', limit: '100000/s burst 100000' },
      '/scarce': { to: 'web', limit: '3/hour' },
      '/brief': { to: 'web', limit: '1/2s' },
      '/slow': { to: 'web', limit: ['1000/s', '2 at once'] },
    },
  },
}

describeWith(['faketime'], 'with a wall clock that jumps', ({ faketime }) => {
  let here: Place
  const stamp = (): string => join(here.directory, 'clock')
  const setClock = (offsetSeconds: number): void => {
    writeFileSync(`${stamp()}.new`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}`)
    renameSync(`${stamp()}.new`, stamp())
  }
  const statusOf = async (path: string): Promise<number> => {
    const answer = await fetch(`${here.edgeUrl}${path}`)
    await answer.arrayBuffer()
    return answer.status
  }

  beforeAll(async () => {
    here = await makePlace()
    here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
    setClock(0)
    const library = execFileSync(faketime, ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' })
    mustRun(
      await here.up([], {
        LD_PRELOAD: library.trim(),
        FAKETIME_TIMESTAMP_FILE: stamp(),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      }),
    )
  })
  afterAll(() => here.clear())

  /** Requests one after the other until it is ended; answers with how many were not served. */
  function traffic() {
    const counts = { good: 0, bad: 0 }
    const ending = new AbortController()
    const done = (async () => {
      while (!ending.signal.aborted) {
        const status = await statusOf('/').catch(() => 0)
        if (status === 200) counts.good++
        else counts.bad++
      }
    })()
    return {
      counts,
      end: async () => {
        ending.abort()
        await done
        return counts.bad
      },
    }
  }

  const pids = async (client: Client): Promise<readonly (number | null)[]> => {
    const { services } = await client.call('environment.status', {})
    const replicas = services.flatMap((service) => service.replicas.map(({ pid }) => pid))
    return [...(['supervisor', 'control', 'edge'] as const).map((name) => here.pidOf(name)), ...replicas]
  }

  async function signIn(client: Client): Promise<string> {
    const { url } = await client.call('access.create-sign-in-link', {})
    const link = url.slice(Math.max(url.lastIndexOf('='), url.lastIndexOf('/'), url.lastIndexOf('#')) + 1)
    const answer = await call('access.sign-in', { link })
    expect(answer.status).toBe(200)
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  }

  const call = (operation: string, input: object, cookie?: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${here.controlPort}/ops/${operation}`, {
      method: 'POST',
      body: JSON.stringify(input),
      headers: {
        'content-type': 'application/json',
        origin: `http://127.0.0.1:${here.controlPort}`,
        ...(cookie === undefined ? {} : { cookie }),
      },
    })

  test('its processes see the shifted clock, and nothing else does', async () => {
    const client = here.client()
    setClock(86_400)
    const { expiresAt } = await client.call('access.create-sign-in-link', {})
    setClock(0)
    expect(Math.abs(expiresAt - (Date.now() + dayMs + 600_000))).toBeLessThan(60_000)
  })

  test('by a day or five minutes, back or ahead: serving goes on, nobody is freed, nobody is locked out', async () => {
    const client = here.client()
    const cookie = await signIn(client)
    expect(cookie.startsWith(consoleCookie)).toBe(true)
    const before = await pids(client)
    expect(await Promise.all([1, 2, 3].map(() => statusOf('/scarce')))).toEqual([200, 200, 200])
    const load = traffic()
    for (const offsetSeconds of [86_400, 0, -86_400, 0, 300, 0, -300, 0]) {
      const { good } = load.counts
      setClock(offsetSeconds)
      // Somebody who owes an hour's worth still does; somebody who owes two seconds is free after two seconds.
      expect([offsetSeconds, await statusOf('/scarce')]).toEqual([offsetSeconds, 429])
      await statusOf('/brief')
      expect([offsetSeconds, await statusOf('/brief')]).toEqual([offsetSeconds, 429])
      await until('the brief limit to admit again', async () => (await statusOf('/brief')) === 200, 10_000)
      // Places "at once" are given back although they were taken at another time of day.
      const slow = [statusOf('/slow'), statusOf('/slow')]
      setClock(offsetSeconds + 60)
      expect([offsetSeconds, ...(await Promise.all(slow))]).toEqual([offsetSeconds, 200, 200])
      expect([offsetSeconds, await statusOf('/slow')]).toEqual([offsetSeconds, 200])
      setClock(offsetSeconds)
      await until('traffic to go on', () => load.counts.good > good + 100)
      const who = await call('access.whoami', {}, cookie)
      expect([offsetSeconds, who.status]).toEqual([offsetSeconds, 200])
      await client.call('access.create-token', { name: `at-${Date.now()}`, role: 'view' })
      expect([offsetSeconds, await pids(client)]).toEqual([offsetSeconds, before])
    }
    expect(await load.end()).toBe(0)
  }, 120_000)

  test('the timeline never goes back, and verifies', async () => {
    const client = here.client()
    const { facts } = await client.call('timeline.read', { limit: 1000 })
    const times = facts.map(({ at }) => at)
    const sorted = [...facts].sort((a, b) => a.sequence - b.sequence).map(({ at }) => at)
    expect(sorted).toEqual(times.toSorted((a, b) => a - b))
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(dayMs / 2)
    const { broken, checked } = await client.job('timeline.verify', {})
    expect(broken).toBe(null)
    expect(checked).toBeGreaterThanOrEqual(facts.length)
  })

  test.each([-86_400, 86_400])(
    'whatever dies %i s away is started again, and finds what it left',
    async (offset) => {
      const client = here.client()
      const [supervisor, control, edge, ...replicas] = await pids(client)
      setClock(offset)
      // A request without an answer is tried with the other replica, so both may die of it.
      await fetch(`${here.edgeUrl}/die`).catch(() => undefined)
      for (const name of ['control', 'edge'] as const) process.kill(here.pidOf(name), 'SIGKILL')
      const isRunning = async (): Promise<boolean> => {
        const { services } = await client.call('environment.status', {})
        const all = services.flatMap((service) => service.replicas)
        const isNew = all.some(({ pid }) => !replicas.includes(pid))
        return isNew && all.length === 2 && all.every(({ healthy }) => healthy === true)
      }
      await until(
        'others to run in their place',
        () => here.pidOf('control') !== control && here.pidOf('edge') !== edge,
      )
      await until('replicas to be healthy', isRunning)
      await until('the edge to serve', async () => (await statusOf('/')) === 200)
      expect(here.pidOf('supervisor')).toBe(supervisor)
      setClock(0)
      expect((await client.job('timeline.verify', {})).broken).toBe(null)
      expect(await statusOf('/')).toBe(200)
    },
    60_000,
  )

  test('a session ends when its seven days are over by the wall clock, and a link after ten minutes', async () => {
    const client = here.client()
    const cookie = await signIn(client)
    const { url } = await client.call('access.create-sign-in-link', {})
    setClock(8 * 86_400)
    expect((await call('access.whoami', {}, cookie)).status).toBe(401)
    const link = url.slice(Math.max(url.lastIndexOf('='), url.lastIndexOf('/'), url.lastIndexOf('#')) + 1)
    expect((await call('access.sign-in', { link })).status).toBeGreaterThanOrEqual(400)
    setClock(0)
    expect((await call('access.whoami', {}, cookie)).status).toBe(200)
  })
})
