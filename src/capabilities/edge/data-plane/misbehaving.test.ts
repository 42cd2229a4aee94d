import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sendRaw, startTestbed, type Testbed } from './testbed.test-support.ts'

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine'
const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
const ok = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines].join('\r\n')
const chunked = '4\r\nabcd\r\n0\r\n\r\n'

let server: Server
let bed: Testbed
/** What the origin says to any request but `/next`. */
let answer = fine
const seen: string[] = []
const open = new Set<Socket>()

beforeAll(async () => {
  server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      for (const [, line, path] of data.toString('latin1').matchAll(/^([A-Z]+ (\S+)) HTTP/gm)) {
        seen.push(line ?? '')
        if (path !== '/never') socket.write(path === '/next' ? fine : answer, 'latin1')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const limit = '100000/s per ip'
  bed = await startTestbed({
    section: { routes: { '/*': { to: 'web', limit }, '/rare': { to: 'web', limit: '1/hour' } } },
    origins: { web: [`http://127.0.0.1:${port}`] },
  })
})
afterAll(async () => {
  await bed.stop()
  for (const socket of open) socket.destroy()
  server.close()
})
afterEach(async () => {
  // What was on its way to the origin when its client's connection ended belongs to this test.
  await delay(50)
  seen.length = 0
  answer = fine
  // No thread ended of it.
  const { notes } = bed.plane.state()
  if (notes.length > 0) throw new Error(notes.join('; '))
})

const request = (line: string, ...fields: string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: a', ...fields].join('\r\n')}\r\n\r\n`

/** What the origin says, the status that goes out, and how the answer ends. */
interface Case {
  readonly says: string
  readonly status: number
  readonly ends: string
  readonly method: string
}

const says = (text: string, status: number, ends = ''): Case => ({ says: text, status, ends, method: 'GET' })

const both = ['Content-Length: 4', 'Transfer-Encoding: chunked']
const cases: Readonly<Record<string, Case>> = {
  'both framings': says(ok(...both, '', chunked), 502),
  'both framings, chunked first': says(ok(...both.toReversed(), '', chunked), 502),
  'two lengths that differ': says(ok('Content-Length: 4', 'Content-Length: 5', '', 'abcd'), 502),
  'two lengths that agree': says(ok('Content-Length: 4', 'Content-Length: 4', '', 'abcd'), 502),
  'a length with a minus': says(ok('Content-Length: -4', '', 'abcd'), 502),
  'a length that no number holds': says(ok('Content-Length: 99999999999999999999', '', 'abcd'), 502),
  'a coding under chunked': says(ok('Transfer-Encoding: gzip, chunked', '', chunked), 502),
  'a coding over chunked': says(ok('Transfer-Encoding: chunked, gzip', '', chunked), 502),
  'a coding alone': says(ok('Transfer-Encoding: gzip', '', 'abcd'), 502),
  trailers: says(ok('Transfer-Encoding: chunked', '', '4\r\nabcd\r\n0\r\nX-Secret: 1\r\n\r\n'), 200, 'abcd'),
  'fields that Connection lists': says(
    ok('Connection: X-Secret', 'X-Secret: 1', 'Content-Length: 4', '', 'abcd'),
    200,
    'abcd',
  ),
  'a body after the end': says(ok('Content-Length: 4', '', `abcd${evil}`), 200, 'abcd'),
  'HEAD with a body': { ...says(ok('Content-Length: 4', '', evil), 200, '\r\n\r\n'), method: 'HEAD' },
  '204 with a body': says(`HTTP/1.1 204 No Content\r\n\r\n${evil}`, 204, '\r\n\r\n'),
  '204 with a length': says(`HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n${evil}`, 204, '\r\n\r\n'),
  '204 with chunks': says(
    `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    204,
    '\r\n\r\n',
  ),
  '304 with a body': says(`HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n${evil}`, 304, '\r\n\r\n'),
  '102 before the answer': says(`HTTP/1.1 102 Processing\r\n\r\n${fine}`, 200, 'fine'),
  '103 before the answer': says(`HTTP/1.1 103 Early Hints\r\nX-Secret: 1\r\n\r\n${fine}`, 200, 'fine'),
  '101 that nobody asked for': says(
    'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nx',
    502,
  ),
  'a status below 100': says('HTTP/1.1 099 What\r\nContent-Length: 4\r\n\r\nabcd', 502),
  'a status above 599': says('HTTP/1.1 999 Denied\r\nContent-Length: 4\r\n\r\nabcd', 999, 'abcd'),
  'a reason in UTF-8': says('HTTP/1.1 200 \xe2\x9c\x93 ok\r\nContent-Length: 4\r\n\r\nabcd', 200, 'abcd'),
  'a reason with a control character': says(
    'HTTP/1.1 200 a\x01b\r\nContent-Length: 4\r\n\r\nabcd',
    200,
    'abcd',
  ),
  'no reason': says('HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nabcd', 200, 'abcd'),
  'a value with a control character': says(ok('X: a\x01b', 'Content-Length: 4', '', 'abcd'), 502),
  'a value in UTF-8': says(ok('X: \xe2\x9c\x93', 'Content-Length: 4', '', 'abcd'), 200, 'abcd'),
  'a name with a blank': says(ok('X Y: a', 'Content-Length: 4', '', 'abcd'), 502),
  'a blank before the colon': says(ok('X : a', 'Content-Length: 4', '', 'abcd'), 502),
  'a folded field': says(ok('X: a', ' b', 'Content-Length: 4', '', 'abcd'), 502),
  'bare LF': says('HTTP/1.1 200 OK\nContent-Length: 4\n\nabcd', 502),
}

describe('an origin that misbehaves', () => {
  test.each(Object.entries(cases))('%s', async (_name, { says: said, status, ends, method }) => {
    answer = said
    const first = await sendRaw(bed.port, request(`${method} /`), 200)
    expect(first.text.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} ?`))
    expect(first.text.endsWith(ends)).toBe(true)
    expect(first.text).not.toMatch(/evil|secret/i)
    // Nothing of it is the answer to the next one, on a connection to the origin that may be the same.
    expect((await sendRaw(bed.port, request('GET /next'), 200)).text).toMatch(/^HTTP\/1\.1 200 .*fine$/s)
  })

  test('a status that nobody knows is counted as a failure of the server, and nothing else is', async () => {
    await delay(1100)
    const { reports } = bed.plane
    const before = (await reports.after(0, 0, AbortSignal.timeout(1000))).at(-1)?.number ?? 0
    answer = 'HTTP/1.1 999 Denied\r\nContent-Length: 4\r\n\r\nabcd'
    await sendRaw(bed.port, request('GET /'), 200)
    await delay(1200)
    const counted = (await reports.after(before, 0, AbortSignal.timeout(1000)))
      .flatMap(({ routes }) => routes)
      .filter(({ requests }) => requests > 0)
    expect(
      counted.map(({ route, classes, refused, originFailures }) => ({
        route,
        classes,
        refused,
        originFailures,
      })),
    ).toEqual([{ route: '/*', classes: [0, 0, 0, 0, 1], refused: 0, originFailures: 0 }])
  })
})

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
const statuses = (text: string): (string | undefined)[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)

describe('what a client sends ahead', () => {
  test('waits for its turn: a GET does not overtake the POST before it', async () => {
    const ahead = request('POST /never', 'Content-Length: 2')
    const { text } = await sendRaw(bed.port, `${ahead}ab${request('GET /next')}`, 200)
    expect(text).toBe('')
    expect(seen).toEqual(['POST /never'])
  })

  test('is not without bound', async () => {
    const { text, isClosed } = await sendRaw(
      bed.port,
      request('GET /never') + request('GET /next').repeat(200),
    )
    expect(isClosed).toBe(true)
    expect(text).toBe('')
    expect(seen).not.toContain('GET /next')
    const { text: hundred } = await sendRaw(bed.port, request('GET /next').repeat(100))
    expect(statuses(hundred)).toHaveLength(100)
  })

  test('if it is malformed, ends the connection, but not before the answer to what was sound', async () => {
    const { text, isClosed } = await sendRaw(bed.port, `${request('GET /next')}no HTTP at all\r\n\r\n`)
    expect(statuses(text)).toEqual(['200'])
    expect(text).toMatch(/connection: close/i)
    expect(isClosed).toBe(true)
  })

  test('if it is an upgrade, ends the connection and not the edge', async () => {
    await sendRaw(bed.port, request('GET /rare'), 200)
    const { isClosed } = await sendRaw(bed.port, request('GET /never') + request('GET /rare', ...upgrade))
    expect(isClosed).toBe(true)
    expect(seen.filter((line) => line === 'GET /rare')).toHaveLength(1)
  })
})

describe('an upgrade', () => {
  test.each([
    ['of another method', request('POST /', ...upgrade, 'Content-Length: 0'), 'POST /'],
    ['with a body', `${request('GET /', ...upgrade, 'Content-Length: 4')}abcd`, 'GET /'],
    ['with chunks', request('GET /', ...upgrade, 'Transfer-Encoding: chunked') + chunked, 'GET /'],
  ])('%s is a plain request, and the last of its connection', async (_name, sent, line) => {
    const { text, isClosed } = await sendRaw(bed.port, sent + request('GET /next'))
    expect(statuses(text)).toEqual(['200'])
    expect(isClosed).toBe(true)
    expect(seen).toEqual([line])
  })

  test('is declined whatever the reason phrase says', async () => {
    answer = 'HTTP/1.1 403 \x01\r\nContent-Length: 4\r\n\r\nabcd'
    expect((await sendRaw(bed.port, request('GET /', ...upgrade))).text).toMatch(/^HTTP\/1\.1 403 .*abcd$/s)
    answer = ok('Transfer-Encoding: gzip, chunked', '', chunked)
    expect((await sendRaw(bed.port, request('GET /', ...upgrade))).text).toMatch(/^HTTP\/1\.1 502 /)
  })
})
