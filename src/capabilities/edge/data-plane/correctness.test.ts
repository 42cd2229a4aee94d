import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  echo,
  sendRaw,
  startOrigin,
  startTestbed,
  type Testbed,
  type TestOrigin,
} from './testbed.test-support.ts'

let origin: TestOrigin
let bed: Testbed

beforeAll(async () => {
  origin = await startOrigin(echo)
  bed = await startTestbed({
    section: {
      headerTimeout: '500ms',
      routes: {
        '/*': { to: 'web', limit: '100000/s per ip' },
        'POST /small': { to: 'web', limit: '100000/s per ip', maxBody: '10B' },
      },
    },
    origins: { web: [origin.url] },
  })
})

afterAll(async () => {
  await bed.stop()
  await origin.close()
})

beforeEach(() => {
  origin.seen.length = 0
})

const head = (line: string, ...fields: string[]): string => `${[line, ...fields].join('\r\n')}\r\n\r\n`
const host = 'Host: example.com'

/** What an edge must refuse; the origin must not hear of it. Reference: RFC 9112 and the list in the edge's README. */
const refused: readonly (readonly [name: string, request: string, status: number])[] = [
  ['two Host fields', head('GET / HTTP/1.1', host, 'Host: other.com'), 400],
  ['a Host with a blank', head('GET / HTTP/1.1', 'Host: a b'), 400],
  ['a Host with a path', head('GET / HTTP/1.1', 'Host: example.com/x'), 400],
  ['an empty Host', head('GET / HTTP/1.1', 'Host:'), 400],
  ['no Host', head('GET / HTTP/1.1'), 400],
  ['a target whose authority differs from Host', head('GET http://other.com/ HTTP/1.1', host), 400],
  [
    'Transfer-Encoding on HTTP/1.0',
    `${head('POST / HTTP/1.0', host, 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
  ],
  ['HTTP/2.0 in the request line', head('GET / HTTP/2.0', host), 505],
  ['HTTP/1.2 in the request line', head('GET / HTTP/1.2', host), 400],
  ['a fragment in the target', head('GET /a#b HTTP/1.1', host), 400],
  [
    'both framings',
    `${head('POST / HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
  ],
  ['two lengths', `${head('POST / HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 2')}ab`, 400],
  ['two equal lengths', `${head('POST / HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 1')}a`, 400],
  ['a list of lengths', `${head('POST / HTTP/1.1', host, 'Content-Length: 5, 5')}abcde`, 400],
  ['a signed length', `${head('POST / HTTP/1.1', host, 'Content-Length: +1')}a`, 400],
  [
    'chunked that is not last',
    `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked, gzip')}0\r\n\r\n`,
    400,
  ],
  [
    'a coding under chunked',
    `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    501,
  ],
  [
    'a coding that looks like chunked',
    `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: xchunked')}0\r\n\r\n`,
    501,
  ],
  ['a blank before the colon', head('GET / HTTP/1.1', host, 'Content-Length : 0'), 400],
  ['a folded field', head('GET / HTTP/1.1', host, 'X-A: b', ' c'), 400],
  ['a bare LF', `GET / HTTP/1.1\n${host}\n\n`, 400],
  ['a bare CR in a value', head('GET / HTTP/1.1', host, 'X-A: b\rc'), 400],
  ['NUL in a value', head('GET / HTTP/1.1', host, 'X-A: b\0c'), 400],
  ['a method in lower case', head('get / HTTP/1.1', host), 400],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ['an encoded slash', head('GET /a%2Fb HTTP/1.1', host), 400],
  ['a backslash', head('GET /a\\b HTTP/1.1', host), 400],
  ['an encoded backslash', head('GET /a%5cb HTTP/1.1', host), 400],
  ['an encoded NUL', head('GET /a%00b HTTP/1.1', host), 400],
  ['a broken percent-encoding', head('GET /a%zz HTTP/1.1', host), 400],
  [
    'an expectation that nobody knows',
    head('POST / HTTP/1.1', host, 'Expect: something', 'Content-Length: 1'),
    417,
  ],
  ['TRACE', head('TRACE / HTTP/1.1', host), 405],
  ['CONNECT', head('CONNECT example.com:443 HTTP/1.1', host), 405],
  ['a head that is too large', head('GET / HTTP/1.1', host, `X-A: ${'b'.repeat(20_000)}`), 431],
  [
    'too many fields',
    head('GET / HTTP/1.1', host, ...Array.from({ length: 120 }, (_, index) => `X-${index}: y`)),
    431,
  ],
  ['a body that is declared too large', head('POST /small HTTP/1.1', host, 'Content-Length: 11'), 413],
]

describe('malformed and dangerous requests get their status, and the connection ends', () => {
  test.each(refused)('%s', async (_name, request, status) => {
    const answer = await sendRaw(bed.port, request, 1500)
    expect(answer.text.split('\r\n')[0]).toContain(`HTTP/1.1 ${status} `)
    expect(answer.isClosed).toBe(true)
    expect(answer.text.toLowerCase()).toContain('connection: close')
    expect(origin.seen).toEqual([])
  })

  test('a head that comes too slowly gets 408', async () => {
    const answer = await sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: exa', 4000)
    expect(answer.text).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer.isClosed).toBe(true)
  })

  test('so does a slow second head on a connection that is kept', async () => {
    const answer = await sendRaw(
      bed.port,
      `${head('GET / HTTP/1.1', host)}GET /2 HTTP/1.1\r\nHost: exa`,
      4000,
    )
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer.text).toMatch(/HTTP\/1\.1 408 /)
    expect(answer.isClosed).toBe(true)
  })

  test('a request behind one with two framings is not served', async () => {
    const smuggled = `${head('POST / HTTP/1.1', host, 'Content-Length: 6', 'Transfer-Encoding: chunked')}0\r\n\r\n${head('GET /smuggled HTTP/1.1', host)}`
    await sendRaw(bed.port, smuggled)
    expect(origin.seen).toEqual([])
  })
})

interface Echoed {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly body: string
}

async function echoed(
  request: string,
): Promise<Echoed & { readonly field: (name: string) => string | undefined }> {
  const { text } = await sendRaw(bed.port, request)
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  const saw = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}') as Echoed
  const field = (name: string): string | undefined => {
    const index = saw.rawHeaders.findIndex((each, at) => at % 2 === 0 && each.toLowerCase() === name)
    return index < 0 ? undefined : saw.rawHeaders[index + 1]
  }
  return { ...saw, field }
}

describe('what goes on to the origin is written anew', () => {
  test('fields that Connection lists stay here, as do all hop-by-hop fields', async () => {
    const saw = await echoed(
      head(
        'GET / HTTP/1.1',
        host,
        'Connection: X-Secret, keep-alive',
        'X-Secret: 1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Connection: keep-alive',
        'Proxy-Authorization: Basic eA==',
        'X-Kept: 1',
      ),
    )
    expect(saw.field('x-kept')).toBe('1')
    for (const name of ['x-secret', 'keep-alive', 'te', 'proxy-connection', 'proxy-authorization']) {
      expect(saw.field(name)).toBeUndefined()
    }
  })

  test('names with an underscore are dropped', async () => {
    const saw = await echoed(head('GET / HTTP/1.1', host, 'Content_Length: 5', 'X_Forwarded_For: 1.2.3.4'))
    expect(saw.rawHeaders.some((name) => name.includes('_'))).toBe(false)
  })

  test('forwarding fields of a stranger are replaced', async () => {
    const saw = await echoed(
      head(
        'GET / HTTP/1.1',
        host,
        'X-Forwarded-For: 8.8.8.8',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Prefix: /evil',
        'Forwarded: for=8.8.8.8',
        'X-Real-IP: 8.8.8.8',
        'X-Original-URL: /admin',
      ),
    )
    expect(JSON.stringify(saw.rawHeaders)).not.toMatch(/8\.8\.8\.8|evil|admin/)
    expect(saw.field('x-forwarded-for')).toBe('127.0.0.1')
    expect(saw.field('x-forwarded-proto')).toBe('http')
    expect(saw.field('x-forwarded-host')).toBe('example.com')
    expect(saw.field('forwarded')).toBe('for=127.0.0.1;host="example.com";proto=http')
    expect(saw.field('via')).toMatch(/^1\.1 holdfast-/)
  })

  test('a request that has been here before is a loop', async () => {
    const via = (await echoed(head('GET / HTTP/1.1', host))).field('via')
    const { text } = await sendRaw(bed.port, head('GET / HTTP/1.1', host, `Via: 1.1 other, ${via}`))
    expect(text).toMatch(/^HTTP\/1\.1 508 /)
  })

  test('a GET with a body is framed anew and the next request is not part of it', async () => {
    const request = `${head('GET /one HTTP/1.1', host, 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n${head('GET /two HTTP/1.1', host)}`
    const { text } = await sendRaw(bed.port, request)
    expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
    expect(origin.seen.map(({ url }) => url)).toEqual(['/one', '/two'])
    expect(text).toContain('"body":"abc"')
  })

  test('the target of an absolute form counts', async () => {
    const saw = await echoed(head('GET http://example.com/a?b HTTP/1.1', host))
    expect(saw.url).toBe('/a?b')
    expect(saw.field('host')).toBe('example.com')
  })

  test('the path is normalised once for everybody', async () => {
    const saw = await echoed(head('GET //a/./%7Ex/../b%3a/?q=%7e HTTP/1.1', host))
    expect(saw.url).toBe('/a/b%3A/?q=%7e')
  })

  test('an empty line before a request is swallowed', async () => {
    const saw = await echoed(`\r\n${head('GET /x HTTP/1.1', host)}`)
    expect(saw.url).toBe('/x')
  })

  test('trailers of a request are dropped', async () => {
    const request = `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Trailer: X-T')}1\r\na\r\n0\r\nX-T: 1\r\n\r\n`
    const saw = await echoed(request)
    expect(saw.body).toBe('a')
    expect(saw.field('x-t')).toBeUndefined()
    expect(saw.field('trailer')).toBeUndefined()
  })

  test('HTTP/1.0 is answered and the connection ends', async () => {
    const answer = await sendRaw(bed.port, head('GET / HTTP/1.0'))
    expect(answer.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer.text).not.toMatch(/transfer-encoding/i)
    expect(answer.isClosed).toBe(true)
  })

  test('100-continue is answered before the body comes', async () => {
    const request = head('POST / HTTP/1.1', host, 'Expect: 100-continue', 'Content-Length: 3')
    const { text } = await sendRaw(bed.port, request)
    expect(text).toMatch(/^HTTP\/1\.1 100 /)
    const tooLarge = head('POST /small HTTP/1.1', host, 'Expect: 100-continue', 'Content-Length: 30')
    expect((await sendRaw(bed.port, tooLarge)).text).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('a chunked body that grows too large gets 413', async () => {
    const request = `${head('POST /small HTTP/1.1', host, 'Transfer-Encoding: chunked')}ff\r\n${'x'.repeat(255)}\r\n`
    const answer = await sendRaw(bed.port, request)
    expect(answer.text).toMatch(/^HTTP\/1\.1 413 /)
  })
})
