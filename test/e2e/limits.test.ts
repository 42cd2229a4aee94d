import { spawn } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'
import { describeWith } from '../support/describe-with.ts'
import { makePlace, until, type Place } from '../support/holdfast/index.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'

const loadMs = 27_000
const abuser = 'user:totally_not_a_bot'
const quota = '80/day per user resets 00:00 Europe/Vienna'

type Rows = Readonly<Record<string, Readonly<Record<string, number>>>>
interface Tallies {
  readonly friends: Rows
  readonly abuser: Rows
}

/** The example as it is, but for what is put at the beginning of its edge. */
async function arcadePlace(edge = ''): Promise<Place> {
  const here = await makePlace()
  const example = join(root, 'examples', 'arcade')
  cpSync(example, here.directory, { recursive: true, filter: (path) => path !== join(example, 'data') })
  symlinkSync(join(root, 'node_modules'), join(here.directory, 'node_modules'))
  const file = readFileSync(join(example, 'holdfast.config.ts'), 'utf8')
  here.write('holdfast.config.ts', file.replace('  edge: {', `  edge: { ${edge}`))
  return here
}

/** Plays friends and an abuser against the edge, and resolves to what each got at each door. */
function play(here: Place, durationMs: number): Promise<Tallies> {
  const options = [
    '--url',
    here.edgeUrl,
    '--minutes',
    String(durationMs / 60_000),
    '--players',
    '6',
    '--abuser',
    '--json',
  ]
  const child = spawn(process.execPath, [join(here.directory, 'load.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      const line = said.trim().split('\n').at(-1) ?? ''
      if (code === 0) resolve(JSON.parse(line) as Tallies)
      else reject(new Error(`the load ended with ${String(code)}: ${said}`))
    })
  })
}

/** Ends control with a signal and waits for the next one. */
async function endControl(here: Place, signal: NodeJS.Signals): Promise<void> {
  const old = here.pidOf('control')
  process.kill(old, signal)
  await until('another control', async () => {
    const { state } = await here.client().call('environment.status', {})
    return here.pidOf('control') !== old && state === 'healthy'
  })
}

const after = (durationMs: number): Promise<unknown> => new Promise((later) => setTimeout(later, durationMs))

const total = (rows: Rows, doors: readonly string[], column: string): number =>
  doors.reduce((sum, door) => sum + (rows[door]?.[column] ?? 0), 0)

/** What friends got at all doors together. */
function friendsGot({ friends }: Tallies): { fine: number; refused: number; unanswered: number } {
  const sum = (column: string): number => total(friends, Object.keys(friends), column)
  return { fine: sum('fine'), refused: sum('refused'), unanswered: sum('no answer') }
}

const sayAt = (url: string, cookie: string): Promise<Response> =>
  fetch(`${url}/chat`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'hello' }),
  })

describe.runIf(process.platform === 'linux')('the arcade, under load and with an abuser', () => {
  let here: Place
  let tallies: Tallies
  let awayMs = 0

  beforeAll(async () => {
    here = await arcadePlace()
    await here.up()
    const played = play(here, loadMs)
    await after(loadMs / 2)
    const killedAt = performance.now()
    await endControl(here, 'SIGKILL')
    awayMs = performance.now() - killedAt
    tallies = await played
  }, 90_000)

  afterAll(async () => here.clear())

  test('friends are refused nowhere, and always get an answer', () => {
    expect(Object.keys(tallies.friends)).toEqual(
      expect.arrayContaining(['assets', 'chat', 'live chat', 'login', 'pages', 'pool', 'score']),
    )
    const { fine, ...bad } = friendsGot(tallies)
    expect(bad).toEqual({ refused: 0, unanswered: 0 })
    expect(fine).toBeGreaterThan(150)
  })

  test('the abuser is refused at every door', () => {
    const doors = ['login', 'chat', 'chat by WebSocket', 'mail', 'export', 'pool', 'score', 'pages', 'assets']
    for (const door of doors) expect([door, tallies.abuser[door]?.['refused']]).not.toEqual([door, 0])
    expect(doors.filter((door) => tallies.abuser[door] === undefined)).toEqual([])
  })

  test('nor is anything admitted beyond the bounds because control was killed meanwhile', () => {
    // While control is away, each of three processes spends at most its half of the burst, then its half of the rate.
    const awayMinutes = awayMs / 60_000
    const minutes = loadMs / 60_000
    const bound = (burst: number, perMinute: number): number =>
      burst + perMinute * minutes + 2 * (burst / 2 + (perMinute / 2) * awayMinutes) + 1
    const { abuser: rows } = tallies
    expect(total(rows, ['chat', 'chat by WebSocket'], 'fine')).toBeLessThanOrEqual(bound(4, 12))
    expect(total(rows, ['mail'], 'fine')).toBeLessThanOrEqual(bound(10, 0.5))
    // The edge does not ask control: five at once, one every twelve seconds, and one of them was the abuser's own.
    const logins = total(rows, ['login'], 'others') + total(rows, ['login'], 'fine')
    expect(logins).toBeLessThanOrEqual(5 + 5 * minutes + 1)
  })

  test(
    'explain says why the abuser was refused, at the edge and in the application',
    { timeout: 90_000 },
    async () => {
      // What a minute came to is said when it is over, or when control ends.
      await endControl(here, 'SIGTERM')
      const limits = new Set<string>()
      await until(
        'both doors to be explained',
        async () => {
          // Its own limit would refuse us otherwise.
          await after(1000)
          const { spells } = await here.client().call('limits.explain', { subject: abuser })
          for (const { limit, rule } of spells) limits.add(limit).add(rule)
          return ['app.chat.message', 'edge.route.POST /chat', quota].every((each) => limits.has(each))
        },
        70_000,
      )
      const { code, out, err } = here.run('limits', 'explain', abuser)
      expect([code, err]).toEqual([0, ''])
      expect(out).toContain('app.chat.message')
      expect(out).toContain('12/min per user burst 4')
    },
  )

  test(
    'simulate names the abuser from what the edge recorded, with no log at all',
    { timeout: 90_000 },
    async () => {
      // A minute is told when it is over.
      await until(
        'a minute of the abuser to be told',
        async () => {
          await new Promise((later) => setTimeout(later, 500))
          const { spans } = await here.client().call('edge.senders', {})
          const senders = spans.flatMap((span) => span.senders)
          return senders.some(({ who, route }) => who === abuser && route === 'POST /chat')
        },
        70_000,
      )
      const file = readFileSync(join(here.directory, 'holdfast.config.ts'), 'utf8')
      const tighter = file.replace(
        "['30/min per user burst 10', '60/min per ip burst 20']",
        "'4/min per user'",
      )
      expect(tighter).not.toBe(file)
      here.write('tighter.config.ts', tighter)
      const ask = ['--since', '1h', '--config', 'tighter.config.ts', '--against', 'holdfast.config.ts']
      const { code, out, err } = here.run('limits', 'simulate', ...ask)
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(/Would refuse .* today /)
      expect(out).toMatch(/user:totally_not_a_bot +\d+ +edge\.route\.POST \/chat +4\/min per user/)
      expect(out).toContain('this stands on what the edge recorded')
    },
  )

  test('the abuser has had all the exports of a day, and the console shows which limit says so', async () => {
    const { limits } = await here.client().call('edge.limits', {})
    const shown = limits.find(({ rule }) => rule === quota)
    expect(shown?.refused.lastHour).toBeGreaterThan(3)
    expect(tallies.abuser['export']?.['fine']).toBeLessThanOrEqual(8)
  })

  test('what control counted it still knows after a kill', async () => {
    const take = async (cost: number) => {
      const takes = [{ limit: 'mail.send', by: { user: 'walker', recipient: `to-${cost}` }, cost }]
      return (await here.client().call('limits.take', { takes })).verdicts[0]
    }
    expect(await take(10)).toMatchObject({ admitted: true })
    await endControl(here, 'SIGKILL')
    expect(await take(1)).toMatchObject({ admitted: false, rule: '30/hour per user burst 10' })
  })

  test('a ban holds at the edge and in the application', async () => {
    const account = { handle: 'soon_banned', password: 'long enough' }
    const joined = await fetch(`${here.edgeUrl}/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(account),
    })
    expect(joined.status).toBe(201)
    const cookie = joined.headers.get('set-cookie')?.split(';')[0] ?? ''
    const { services } = await here.client().call('environment.status', {})
    const replica = services.find(({ name }) => name === 'web')?.replicas[0]?.address ?? ''
    expect((await sayAt(here.edgeUrl, cookie)).status).toBe(201)
    expect((await sayAt(replica, cookie)).status).toBe(201)
    expect(here.run('limits', 'ban', 'user:soon_banned', '--for', '1h', '--because', 'a test').code).toBe(0)
    await until('the edge to refuse', async () => (await sayAt(here.edgeUrl, cookie)).status === 429)
    const refused = await sayAt(replica, cookie)
    expect([refused.status, Number(refused.headers.get('retry-after')) > 60]).toEqual([429, true])
    expect((await fetch(here.edgeUrl)).status).toBe(200)
  })
})

describeWith(
  ['redis-server'],
  'the arcade, whose edge counts in a Redis that dies and comes back',
  (programs) => {
    const sharedMs = 20_000
    let here: Place
    let redis: RedisServer
    let tallies: Tallies
    const keys: number[] = []

    beforeAll(async () => {
      redis = await startRedisServer(programs['redis-server'])
      // As if there were a second edge: alone, this one has half of each rule.
      here = await arcadePlace(`shared: { redis: '${redis.url}', mode: 'exact', edges: 2 },`)
      await here.up()
      const played = play(here, sharedMs)
      await after(sharedMs / 4)
      keys.push(await redis.client.dbsize())
      await redis.kill('SIGKILL')
      await after(sharedMs / 4)
      await redis.restart()
      tallies = await played
      keys.push(await redis.client.dbsize())
    }, 90_000)

    afterAll(async () => {
      await here.clear()
      await redis.stop()
    })

    test('is told, and counts together before and after', async () => {
      const { facts } = await here.client().call('timeline.read', { kind: 'edge.*' })
      const kinds = facts.map(({ kind }) => kind).filter((kind) => kind.startsWith('edge.counters-'))
      expect(kinds).toEqual(['edge.counters-lost', 'edge.counters-found'])
      for (const count of keys) expect(count).toBeGreaterThan(5)
    })

    test('friends are refused nowhere, and always get an answer', () => {
      const { fine, ...bad } = friendsGot(tallies)
      expect(bad).toEqual({ refused: 0, unanswered: 0 })
      expect(fine).toBeGreaterThan(100)
    })

    test('the abuser stays stopped: no more than the rule and, for each of the two changes, a burst', () => {
      const { abuser: rows } = tallies
      const bound = (burst: number, perMinute: number): number =>
        burst + (perMinute * sharedMs) / 60_000 + 2 * burst + 1
      const answered = (door: string): number => total(rows, [door], 'fine') + total(rows, [door], 'others')
      const doors = { login: bound(5, 5), score: bound(10, 60), assets: bound(100, 600), chat: bound(10, 30) }
      for (const [door, most] of Object.entries(doors)) {
        expect([door, answered(door) <= most, total(rows, [door], 'refused') > 0]).toEqual([door, true, true])
      }
    })
  },
)
