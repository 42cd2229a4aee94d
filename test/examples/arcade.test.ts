import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

const arcade = join(import.meta.dirname, '../../examples/arcade')
let directory = ''
let children: ChildProcess[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'arcade-'))
  children = []
})
afterEach(async () => {
  await Promise.all(children.map(async (child) => stop(child, 'SIGKILL')))
  rmSync(directory, { recursive: true, force: true })
})

const databasePath = (): string => join(directory, 'arcade.sqlite')

/** Starts one of the example's programs and resolves with what `says` matches in its output. */
async function start(args: readonly string[], says: RegExp): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, args, {
    cwd: arcade,
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: '0',
      ARCADE_DATABASE: databasePath(),
      ARCADE_EXPORT_MS: '1000',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const said = await new Promise<string>((resolve, reject) => {
    let output = ''
    const hear = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
      const match = says.exec(output)
      if (match !== null) resolve(match[1] ?? output)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('exit', () => reject(new Error(`it ended and said: ${output}`)))
  })
  return { child, said }
}

async function startWeb(): Promise<{ child: ChildProcess; url: string }> {
  const { child, said } = await start(['web.ts'], /open on (http:\S+)/)
  return { child, url: said }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
  return child.exitCode
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    expect(tries).toBeLessThan(100)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A player with a cookie. */
function visitor(url: string) {
  let cookie = ''
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    const text = await response.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
    return { status: response.status, headers: response.headers, text, json }
  }
  return {
    get: async (path: string) => ask('GET', path),
    post: async (path: string, body?: unknown) => ask('POST', path, body),
    cookie: () => cookie,
  }
}

const demo = { handle: 'demo', password: 'arcade-demo' }

describe('the arcade', () => {
  test('serves its page, files and health, and nothing from elsewhere', async () => {
    const { url } = await startWeb()
    const { get } = visitor(url)
    expect((await get('/')).text).toContain('Tidepool Arcade')
    expect((await get('/healthz')).json).toEqual({ health: 'ok' })
    const script = await get('/assets/arcade.js')
    expect(script.headers.get('content-type')).toContain('javascript')
    const again = await fetch(`${url}/assets/arcade.js`, {
      headers: { 'if-none-match': script.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
    expect((await fetch(`${url}//assets`)).status).toBe(404)
    for (const path of ['/nothing', '/assets/..%2fweb.ts', '/assets/web.ts'])
      expect((await get(path)).status).toBe(404)
  })

  test('signs up, in and out', async () => {
    const { url } = await startWeb()
    const { get, post } = visitor(url)
    expect((await post('/scores', { points: 1 })).status).toBe(401)
    expect((await post('/accounts', { handle: 'Newbie_1', password: 'short' })).status).toBe(400)
    expect((await post('/accounts', { handle: 'new bie', password: 'long enough' })).status).toBe(400)
    expect((await post('/accounts', { handle: 'Newbie_1', password: 'long enough' })).status).toBe(201)
    expect((await get('/me')).json).toMatchObject({ handle: 'Newbie_1', mails: { sent: 0 } })
    expect((await post('/logout')).status).toBe(204)
    expect((await get('/me')).json).toEqual({ handle: null })
    expect((await post('/accounts', { handle: 'newbie_1', password: 'long enough' })).status).toBe(409)
    expect((await post('/login', { handle: 'newbie_1', password: 'wrong enough' })).status).toBe(401)
    expect((await post('/login', { handle: 'nobody', password: 'long enough' })).status).toBe(401)
    expect((await post('/login', { handle: 'newbie_1', password: 'long enough' })).status).toBe(200)
  })

  test('hands out the key with which any copy signs who is logged in', async () => {
    const copies = await Promise.all([startWeb(), startWeb()])
    const answers = await Promise.all(copies.map(({ url }) => visitor(url).get('/.well-known/jwks.json')))
    const [{ keys }, other] = answers.map(({ json }) => json) as unknown as [JSONWebKeySet, JSONWebKeySet]
    expect(other).toEqual({ keys })
    expect(keys.map(Object.keys)).toEqual([['crv', 'kty', 'x', 'kid', 'alg', 'use']])
    expect(keys[0]?.kid).toBe(await calculateJwkThumbprint(keys[0] ?? {}))
    const { post, cookie } = visitor(copies[1]?.url ?? '')
    await post('/login', demo)
    const token = cookie().slice('arcade='.length)
    expect((await jwtVerify(token, createLocalJWKSet({ keys }))).payload.sub).toBe('demo')
  })

  test('keeps scores and refuses senseless ones', async () => {
    const { url } = await startWeb()
    const { get, post } = visitor(url)
    await post('/login', demo)
    for (const points of [-1, 1.5, 2001, '7', null])
      expect((await post('/scores', { points })).status).toBe(400)
    expect((await post('/scores', { points: 1999 })).json).toEqual({ points: 1999, rank: 1 })
    const { scores } = (await get('/scores?days=7&limit=5')).json as {
      scores: { handle: string; points: number }[]
    }
    expect(scores).toHaveLength(5)
    expect(scores[0]).toMatchObject({ handle: 'demo', points: 1999 })
  })

  test('refuses bodies that are too long, no JSON or no object', async () => {
    const { url } = await startWeb()
    const { post } = visitor(url)
    expect((await post('/login', { handle: 'x'.repeat(20_000), password: 'x' })).status).toBe(413)
    expect((await post('/login', [demo])).status).toBe(400)
    const send = async (type: string, body: string): Promise<number> =>
      (await fetch(`${url}/login`, { method: 'POST', headers: { 'content-type': type }, body })).status
    expect([await send('application/json', '{'), await send('text/plain', '{}')]).toEqual([400, 415])
  })

  test('brings chat to everybody who listens, on any copy, and mail to whom it mentions', async () => {
    const [one, two] = await Promise.all([startWeb(), startWeb()])
    const listening = await fetch(`${two.url}/chat/live`)
    const reader = listening.body?.getReader()
    const { get, post } = visitor(one.url)
    await post('/login', demo)
    await post('/chat', { text: 'hello @DEMO and @no_such_player' })
    let heard = ''
    while (!heard.includes('hello @DEMO')) heard += new TextDecoder().decode((await reader?.read())?.value)
    await reader?.cancel()
    const { messages } = (await get('/chat?limit=3')).json as { messages: { text: string }[] }
    expect(messages.at(-1)?.text).toContain('hello @DEMO')
    const { child, said } = await start(['mailer.ts'], /sent to (\S+):/)
    expect(said).toBe('demo@players.example')
    expect(await stop(child, 'SIGTERM')).toBe(0)
    expect(readFileSync(join(directory, 'sent-mails.log'), 'utf8').trim().split('\n')).toHaveLength(1)
  })

  test('shows the fish of everybody in the pool', async () => {
    const { url } = await startWeb()
    const { post, cookie } = visitor(url)
    await post('/login', demo)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/play`, { headers: { cookie: cookie() } })
    const heard: string[] = []
    socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    await once(socket, 'open')
    socket.send('no JSON')
    socket.send(JSON.stringify({ x: 7, y: 0 }))
    socket.send(JSON.stringify({ x: 0.25, y: 0.75 }))
    const there = '"name":"demo","x":0.25,"y":0.75'
    await eventually(() => heard.some((text) => text.includes(there)))
    expect(heard.at(-1)).toContain(there)
    socket.terminate()
  })

  test("exports all of a player's data, for that player only", async () => {
    const { url } = await startWeb()
    const { get, post } = visitor(url)
    await post('/login', demo)
    await post('/scores', { points: 120 })
    const started = await post('/exports')
    expect([started.status, started.json['state']]).toEqual([202, 'queued'])
    const path = started.headers.get('location') ?? ''
    const done = await get(`${path}?wait=10`)
    expect(done.json).toMatchObject({ state: 'done', result: { scores: [{ points: 120 }], messages: [] } })
    const other = visitor(url)
    await other.post('/accounts', { handle: 'nosy', password: 'long enough' })
    expect((await other.get(path)).status).toBe(404)
  })
})

describe('limits, without Holdfast', () => {
  const sayAll = async (post: ReturnType<typeof visitor>['post'], texts: readonly string[]) => {
    const answers = []
    for (const text of texts) answers.push(await post('/chat', { text }))
    return answers
  }

  test('bound what a player says, by whichever door, and tell when to come back', async () => {
    const { url } = await startWeb()
    const { post, cookie } = visitor(url)
    await post('/login', demo)
    const answers = await sayAll(post, ['1', '2', '3', '4', '5'])
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 429])
    expect(Number(answers[4]?.headers.get('retry-after'))).toBeGreaterThan(0)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/play`, { headers: { cookie: cookie() } })
    const heard: string[] = []
    socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    await once(socket, 'open')
    socket.send(JSON.stringify({ say: '6' }))
    await eventually(() => heard.some((text) => text.includes('"said":false,"status":429')))
    socket.terminate()
    const other = visitor(url)
    await other.post('/accounts', { handle: 'quiet_one', password: 'long enough' })
    expect((await other.post('/chat', { text: 'hello' })).status).toBe(201)
  })

  test('hold mails back that are too many', async () => {
    const { url } = await startWeb()
    const database = new DatabaseSync(databasePath(), { readOnly: true })
    const names = database.prepare('SELECT handle FROM accounts LIMIT 12').all()
    database.close()
    const mentions = names.map(({ handle }) => `@${String(handle)}`)
    const { get, post } = visitor(url)
    await post('/login', demo)
    await sayAll(
      post,
      [0, 4, 8].map((from) => mentions.slice(from, from + 4).join(' ')),
    )
    await start(['mailer.ts'], /(held back a mail to \S+: .*\n.*held back.*)/)
    const states = (await get('/me')).json['mails']
    expect(states).toEqual({ waiting: 0, sent: 10, heldBack: 2 })
  })

  test('keep a player to two exports at once', async () => {
    const { url } = await startWeb()
    const { get, post } = visitor(url)
    await post('/login', demo)
    const statuses = []
    for (let count = 0; count < 3; count++) statuses.push(await post('/exports'))
    expect(statuses.map(({ status }) => status)).toEqual([202, 202, 429])
    for (const { json } of statuses.slice(0, 2)) await get(`/exports/${String(json['id'])}?wait=10`)
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect((await post('/exports')).status).toBe(202)
  })
})

describe('starting and stopping', () => {
  test('two at once fill a fresh database once', async () => {
    await Promise.all([startWeb(), startWeb(), start(['mailer.ts'], /the mailer is ready/)])
    const database = new DatabaseSync(databasePath(), { readOnly: true })
    const count = (table: string): unknown =>
      database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
    expect([count('accounts'), count('scores')]).toEqual([201, 5000])
    expect(count('messages')).toBeGreaterThanOrEqual(400)
    database.close()
  })

  test('a second start finds everything again', async () => {
    const first = await startWeb()
    await visitor(first.url).post('/accounts', { handle: 'keeper', password: 'long enough' })
    expect(await stop(first.child, 'SIGTERM')).toBe(0)
    const second = await startWeb()
    expect(
      (await visitor(second.url).post('/login', { handle: 'keeper', password: 'long enough' })).status,
    ).toBe(200)
  })

  test('SIGTERM lets a slow request finish, ends endless ones, and exits with 0', async () => {
    const { child, url } = await startWeb()
    const { get, post } = visitor(url)
    await post('/login', demo)
    const listening = await fetch(`${url}/chat/live`)
    const { id } = (await post('/exports')).json
    const slow = get(`/exports/${String(id)}?wait=10`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const stopped = stop(child, 'SIGTERM')
    expect((await slow).json['state']).toBe('done')
    expect(await listening.text()).toContain('retry')
    expect(await stopped).toBe(0)
  })
})

describe('the load script', () => {
  test('plays friends and an abuser, and says who got what', async () => {
    const { url } = await startWeb()
    const args = ['load.ts', '--url', url, '--minutes', '0.05', '--players', '2', '--abuser']
    const { said } = await start(args, /(abuser: chat\s+│\s+\d+[^]*┘)/)
    expect(said).toMatch(/abuser: chat\s+│\s+[1-9]/)
  })

  test('says it to programs, too', async () => {
    const { url } = await startWeb()
    const args = ['load.ts', '--url', url, '--minutes', '0.1', '--players', '2', '--json']
    const { said } = await start(args, /^(\{"friends".*\})$/m)
    expect(JSON.parse(said)).toMatchObject({ friends: { pages: { refused: 0, 'no answer': 0 } } })
  })

  test('refuses options out of bounds', async () => {
    const { child } = await start(['load.ts', '--players', '1000'], /--players is between 1 and 200/)
    await eventually(() => child.exitCode !== null)
    expect(child.exitCode).toBe(1)
  })
})
