import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as requestHttp, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStage, echo, openRaw, type Testbed, type TestbedParts } from '../testbed.test-support.ts'

const stage = createStage()
beforeAll(() => stage.open())
afterEach(() => stage.clear())
afterAll(() => stage.close())

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-limits-'))
  stage.later(() => rmSync(directory, { recursive: true, force: true }))
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

function ask(
  bed: Testbed,
  path: string,
  { method = 'GET', ...headers }: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestHttp(bed.url + path, { headers, method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** A service behind routes; its answers are what `?status=` asks for. */
async function open(section: TestbedParts['section']): Promise<Testbed> {
  const { url } = await stage.origin((request, response) => {
    const status = /status=(\d+)/.exec(request.url ?? '')?.[1]
    if (request.url === '/page') return response.setHeader('content-type', 'text/html').end('<p>')
    if (status === undefined) return echo(request, response)
    response.writeHead(Number(status)).end()
  })
  return stage.testbed({ section, origins: { web: [url] } })
}

const route = (limit: string | string[], more: object = {}) => ({ to: 'web', limit, ...more })
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status)

async function several(times: number, act: () => Promise<Answer>): Promise<number[]> {
  const answers: Answer[] = []
  for (let count = 0; count < times; count++) answers.push(await act())
  return statuses(answers)
}

describe('who counts', () => {
  test('by header and method: each combination has its own account, and those without one share', async () => {
    const bed = await open({ routes: { '/*': route('1/hour per header x-tenant and method') } })
    const tenant = (name: string, method = 'GET') =>
      ask(bed, '/', name === '' ? { method } : { 'x-tenant': name, method })
    const answers = [await tenant('a'), await tenant('a'), await tenant('b'), await tenant('a', 'DELETE')]
    expect(statuses(answers)).toEqual([200, 429, 200, 200])
    expect(statuses([await tenant(''), await tenant('')])).toEqual([200, 429])
  })

  test('per client: a user is not punished for its neighbours, who share one address', async () => {
    const secret = join(directory, 'secret')
    writeFileSync(secret, 'tobiiscool\n')
    const bed = await open({
      identity: { session: { cookie: 'sid', secretFile: secret } },
      routes: { '/*': route('2/hour per client') },
    })
    const session = (user: string) => {
      const signature = createHmac('sha256', 'tobiiscool').update(user).digest('base64').replace(/=+$/, '')
      return { cookie: `sid=${encodeURIComponent(`s:${user}.${signature}`)}` }
    }
    expect(await several(3, () => ask(bed, '/'))).toEqual([200, 200, 429])
    expect(await several(3, () => ask(bed, '/', session('kim')))).toEqual([200, 200, 429])
    expect(await several(1, () => ask(bed, '/', session('lee')))).toEqual([200])
    expect(await several(1, () => ask(bed, '/', { cookie: 'sid=s%3Akim.forged' }))).toEqual([429])
    const refusal = JSON.parse((await ask(bed, '/', session('kim'))).body) as Record<string, unknown>
    expect(refusal).toMatchObject({ countedBy: 'user', used: 2, most: 2 })
    expect(JSON.stringify(refusal)).not.toContain('kim')
  })

  test('a token counts its user in all threads, at once and later alike', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const file = join(directory, 'jwks.json')
    writeFileSync(
      file,
      JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'EdDSA' }] }),
    )
    const { url } = await stage.origin(echo)
    const bed = await stage.testbed({
      section: { identity: { jwt: { jwks: file } }, routes: { '/*': route('4/hour per user') } },
      origins: { web: [url] },
      threads: 2,
    })
    const token = (user: string) =>
      new SignJWT({ sub: user })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'a' })
        .setExpirationTime('1h')
        .sign(privateKey)
    const [kim, lee] = [await token('kim'), await token('lee')]
    const as = (text: string) => ask(bed, '/', { authorization: `Bearer ${text}` })
    const together = statuses(await Promise.all(Array.from({ length: 8 }, () => as(kim))))
    expect(together.filter((status) => status === 200)).toHaveLength(4)
    expect(await several(5, () => as(lee))).toEqual([200, 200, 200, 200, 429])
    expect(await several(1, () => as(`${kim.slice(0, -4)}AAAA`))).toEqual([200])
  }, 20_000)

  test('a service hands out its keys itself: until it does, its users count by address', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'EdDSA' }] })
    let isReady = false
    const asked: string[] = []
    const { url } = await stage.origin((request, response) => {
      if (request.url !== '/.well-known/jwks.json') return void response.end('here')
      asked.push(request.headers.authorization ?? 'nobody')
      response.writeHead(isReady ? 200 : 503).end(keys)
    })
    const bed = await stage.testbed({
      section: {
        identity: { jwt: { jwks: { service: 'web' } } },
        routes: { '/*': route('2/hour per user') },
      },
      origins: { web: [url] },
      threads: 1,
      identityStore: {
        fetch: async (address) => {
          const answer = await fetch(address)
          if (!answer.ok) throw new Error(`it answers ${answer.status}`)
          return answer.text()
        },
      },
    })
    const token = (user: string) =>
      new SignJWT({ sub: user }).setProtectedHeader({ alg: 'EdDSA' }).setExpirationTime('1h').sign(privateKey)
    const as = (text: string) => ask(bed, '/', { authorization: `Bearer ${text}` })
    const [kim, lee] = [await token('kim'), await token('lee')]
    expect(await several(3, () => as(kim))).toEqual([200, 200, 429])
    expect(await several(1, () => as(lee))).toEqual([429])
    isReady = true
    let last = 0
    for (let tries = 0; last !== 200 && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      last = (await as(kim)).status
    }
    expect(await several(2, () => as(kim))).toEqual([200, 429])
    expect(await several(3, () => as(lee))).toEqual([200, 200, 429])
    expect(new Set(asked)).toEqual(new Set(['nobody']))
  }, 30_000)

  test('an API key counts by its name; the file is read again when it changes', async () => {
    const digest = (key: string): string => createHash('sha256').update(key).digest('hex')
    const file = join(directory, 'keys.json')
    writeFileSync(file, JSON.stringify({ partner: digest('one') }))
    const bed = await open({
      identity: { apiKeys: { file } },
      allow: ['key:monitor'],
      routes: { '/*': route('1/hour per key') },
    })
    const withKey = (key: string) => ask(bed, '/', { 'x-api-key': key })
    expect(await several(2, () => withKey('one'))).toEqual([200, 429])
    expect(await several(2, () => withKey('two'))).toEqual([200, 429])
    writeFileSync(file, JSON.stringify({ partner: digest('one'), monitor: digest('two') }))
    let last = 0
    for (let tries = 0; last !== 200 && tries < 100; tries++) {
      last = (await withKey('two')).status
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(last).toBe(200)
    expect(await several(2, () => withKey('one'))).toEqual([429, 429])
  }, 20_000)

  test('a browser gets its note of probation, a program and an answer that is no page do not', async () => {
    const bed = await open({ identity: { passport: true }, routes: { '/*': route('100/s') } })
    expect(String((await ask(bed, '/page')).headers['set-cookie'])).toMatch(/^holdfast-passport=n\./)
    expect((await ask(bed, '/data')).headers['set-cookie']).toBeUndefined()
  })
})

describe('how much', () => {
  test('a request has a weight; what it does not get costs nothing', async () => {
    const bed = await open({
      routes: { '/export': route('100/hour per ip', { cost: 40 }), '/*': route('1000/s') },
    })
    expect(await several(3, () => ask(bed, '/export'))).toEqual([200, 200, 429])
  })

  test('whoever is on the list of those allowed is counted and never refused', async () => {
    const bed = await open({
      routes: { '/mine': route('1/hour', { allow: ['127.0.0.0/8'] }), '/*': route('1/hour') },
    })
    expect(await several(3, () => ask(bed, '/mine'))).toEqual([200, 200, 200])
    expect(await several(2, () => ask(bed, '/other'))).toEqual([200, 429])
  })

  test('who causes too many errors is refused for a while, on every route', async () => {
    const bed = await open({ errors: '3/hour per ip', routes: { '/*': route('1000/s') } })
    expect(await several(4, () => ask(bed, '/?status=404'))).toEqual([404, 404, 404, 404])
    const refused = await ask(bed, '/fine')
    expect(refused.status).toBe(429)
    expect(JSON.parse(refused.body)).toMatchObject({
      limit: 'edge.errors',
      'violated-policies': ['edge.errors'],
    })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1000)
  })
})

describe('a limit that lets wait', () => {
  test('delays what comes too early, in order, and refuses when nobody else may wait', async () => {
    const bed = await open({ routes: { '/*': route('10/s per ip burst 1 queue 2 for 2s') } })
    const order: number[] = []
    const all = [0, 1, 2, 3].map(async (number) => {
      await new Promise((resolve) => setTimeout(resolve, 15 * number))
      const answer = await ask(bed, `/${number}`)
      order.push(number)
      return answer
    })
    const answers = await Promise.all(all)
    expect(statuses(answers)).toEqual([200, 200, 200, 429])
    expect(answers[3]?.headers['retry-after']).toBe('1')
    expect(order).toEqual([0, 3, 1, 2])
  })

  test('counts nobody as refused who only waited, and forgets whoever has gone', async () => {
    const bed = await open({ routes: { '/*': route('1/s per ip burst 1 queue 1 for 2s') } })
    expect((await ask(bed, '/first')).status).toBe(200)
    const gone = await openRaw(bed.port)
    gone.write('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await ask(bed, '/full')).status).toBe(429)
    gone.destroy()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await ask(bed, '/second')).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
    const seen = reports.flatMap(({ limits }) => limits).filter(({ rule }) => rule.startsWith('1/s'))
    const sum = (what: 'admitted' | 'refused') => seen.reduce((total, counts) => total + counts[what], 0)
    expect([sum('admitted'), sum('refused')]).toEqual([2, 1])
  })
})

describe('what is said', () => {
  test('refusals name policies in the syntax of RFC 9651, and keep the reset within Retry-After', async () => {
    const bed = await open({ routes: { '/*': route(['1/min per ip burst 2', '100/hour']) } })
    await several(2, () => ask(bed, '/'))
    const { headers, body } = await ask(bed, '/')
    const after = Number(headers['retry-after'])
    expect(headers['ratelimit-policy']).toBe('"edge.route./*";q=1;w=60, "edge.route./*#2";q=100;w=3600')
    expect(headers['ratelimit']).toBe(`"edge.route./*";r=0;t=${after}`)
    const problem = JSON.parse(body) as Record<string, string>
    expect(problem).toMatchObject({
      'violated-policies': ['edge.route./*'],
      countedBy: 'ip',
      used: 2,
      most: 2,
    })
    expect(problem['requestId']).toBe(headers['x-request-id'])
    expect(Date.parse(problem['admitsAgainAt'] ?? '')).not.toBeNaN()
    const page = await ask(bed, '/', { accept: 'text/html' })
    expect(page.body).toContain(String(page.headers['x-request-id']))
    expect(page.body).toContain('it holds for each ip')
  })

  test('admitted answers say it where a route asks for it', async () => {
    const bed = await open({
      routes: { '/told': route('5/min per ip', { fields: true }), '/*': route('5/min per ip') },
    })
    expect((await ask(bed, '/told')).headers['ratelimit']).toMatch(/^"edge\.route\.\/told";r=4;t=\d+$/)
    expect((await ask(bed, '/told')).headers['ratelimit']).toMatch(/;r=3;/)
    expect((await ask(bed, '/')).headers['ratelimit']).toBeUndefined()
  })

  test('in the legacy syntax, or not at all', async () => {
    const routes = { '/*': route(['2/min per ip', '9/min'], { fields: true }) }
    const legacy = await open({ routes, rateLimitFields: 'legacy' })
    const { headers } = await ask(legacy, '/')
    expect([headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['ratelimit']]).toEqual([
      '2',
      '1',
      undefined,
    ])
    const off = await open({ routes: { '/*': route('1/min', { fields: true }) }, rateLimitFields: 'off' })
    await ask(off, '/')
    const refused = await ask(off, '/')
    expect(refused.headers['ratelimit-policy']).toBeUndefined()
    expect(refused.headers['retry-after']).toBeDefined()
  })
})

describe('bans', () => {
  test('come before everything else, by address and by user, and end at their time', async () => {
    const digest = createHash('sha256').update('s3cret').digest('hex')
    const file = join(directory, 'keys.json')
    writeFileSync(file, JSON.stringify({ partner: digest }))
    const bed = await open({ identity: { apiKeys: { file } }, routes: { '/*': route('1000/s') } })
    const policy = await bed.apply({})
    const apply = (subject: string, untilMs: number) =>
      bed.plane.apply({
        ...policy,
        revision: subject,
        bans: [{ subject, until: untilMs, because: 'a secret of ours' }],
      })
    await apply('ip:127.0.0.0/8', Date.now() + 3_600_000)
    const banned = await ask(bed, '/')
    expect(banned.status).toBe(429)
    expect(JSON.parse(banned.body)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
    })
    expect(banned.body).not.toContain('a secret of ours')
    expect(Number(banned.headers['retry-after'])).toBeGreaterThan(3000)
    await apply('key:partner', Date.now() + 3_600_000)
    expect(statuses([await ask(bed, '/'), await ask(bed, '/', { 'x-api-key': 's3cret' })])).toEqual([
      200, 429,
    ])
    await apply('ip:127.0.0.1', Date.now() + 300)
    expect((await ask(bed, '/')).status).toBe(429)
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect((await ask(bed, '/')).status).toBe(200)
  })
})

test('peers that speak for others without being trusted are reported', async () => {
  const bed = await open({ routes: { '/*': route('1000/s') } })
  await several(5, () => ask(bed, '/', { 'x-forwarded-for': '203.0.113.7' }))
  let found: unknown
  for (let tries = 0; found === undefined && tries < 100; tries++) {
    const reports = await bed.plane.reports.after(0, 0, AbortSignal.timeout(1000))
    found = reports.find(({ lookAlikes }) => lookAlikes !== undefined)?.lookAlikes
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(found).toEqual([{ address: '127.0.0.1', requests: 5 }])
}, 20_000)
