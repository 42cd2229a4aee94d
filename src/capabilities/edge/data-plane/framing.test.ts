import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { describeWith } from '../../../../test/support/describe-with.ts'
import {
  startForeignOrigin,
  type ForeignOrigin,
  type Language,
} from '../../../../test/support/origins/index.ts'
import { collect, openRaw, sendRaw, startTestbed, until, type Testbed } from './testbed.test-support.ts'

const head = (line: string, ...fields: string[]): string => `${[line, ...fields].join('\r\n')}\r\n\r\n`
const host = 'Host: example.com'
const post = (...fields: string[]): string => head('POST /a HTTP/1.1', host, ...fields)
/** What an attacker would like the origin to take for a request. */
const smuggled = head('GET /smuggled HTTP/1.1', host)
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const end = '0\r\n\r\n'

/** What comes in, the statuses that go out, and the requests that the origin's parser took: method, target, body. */
interface Case {
  readonly sent: string
  readonly statuses: readonly number[]
  readonly taken: readonly string[]
  readonly isClosed: boolean
}

/** A request that is refused with a closed connection, whatever comes behind it. */
const refused = (sent: string, status = 400): Case => ({
  sent: sent + smuggled,
  statuses: [status],
  taken: [],
  isClosed: true,
})

/** A request that is served, with another behind it on the same connection. */
const served = (sent: string, ...taken: readonly string[]): Case => ({
  sent: sent + head('GET /next HTTP/1.1', host),
  statuses: [...taken.map(() => 200), 200],
  taken: [...taken, 'GET /next '],
  isClosed: false,
})

/** A request that is served, and the connection ends with it, whatever comes behind. */
const servedLast = (sent: string, taken: string): Case => ({
  sent: sent + smuggled,
  statuses: [200],
  taken: [taken],
  isClosed: true,
})

/** Ways to write Transfer-Encoding that one parser or another has taken for `chunked`. */
const disguises = {
  'a tab before the value': 'Transfer-Encoding:\tchunked',
  'a tab behind the value': 'Transfer-Encoding: chunked\t',
  'mixed case': 'tRANSFER-eNCODING: cHUNKED',
  'a vertical tab before the value': 'Transfer-Encoding: \x0bchunked',
  'a form feed before the value': 'Transfer-Encoding: \x0cchunked',
  'a non-breaking space before the value': 'Transfer-Encoding: \xa0chunked',
  'NUL before the value': 'Transfer-Encoding: \0chunked',
  'CR before the value': 'Transfer-Encoding: \rchunked',
  quotes: 'Transfer-Encoding: "chunked"',
  'a parameter': 'Transfer-Encoding: chunked;a=b',
  'a comma before it': 'Transfer-Encoding: , chunked',
  'twice in a list': 'Transfer-Encoding: chunked, chunked',
  'identity before it': 'Transfer-Encoding: identity, chunked',
  'identity in a field of its own': 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'identity in a field behind it': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'gzip under it': 'Transfer-Encoding: gzip, chunked',
  'gzip over it': 'Transfer-Encoding: chunked, gzip',
  'a blank before the colon': 'Transfer-Encoding : chunked',
  'a tab before the colon': 'Transfer-Encoding\t: chunked',
  'a blank before the name': ' Transfer-Encoding: chunked',
  folded: 'Transfer-Encoding:\r\n chunked',
  'folded into the field before it': 'X-A: b\r\n\tTransfer-Encoding: chunked',
  'LF alone before it': 'X-A: b\nTransfer-Encoding: chunked',
  'CR alone before it': 'X-A: b\rTransfer-Encoding: chunked',
  'another word': 'Transfer-Encoding: xchunked',
  'an empty value': 'Transfer-Encoding:',
}

const refusedFramings: Readonly<Record<string, string>> = {
  'CL.TE': post('Content-Length: 6', 'Transfer-Encoding: chunked') + end + 'G',
  'TE.CL': post('Transfer-Encoding: chunked', 'Content-Length: 4') + chunk(smuggled) + end,
  'a length of nothing beside chunks': post('Content-Length: 0', 'Transfer-Encoding: chunked') + end,
  'two lengths that differ': `${post('Content-Length: 1', 'Content-Length: 60')}a`,
  'two lengths that agree': `${post('Content-Length: 1', 'Content-Length: 1')}a`,
  'a length with a plus': `${post('Content-Length: +1')}a`,
  'a length with a minus': post('Content-Length: -1'),
  'a length in hexadecimal': `${post('Content-Length: 0x1')}a`,
  'a length with a comma': `${post('Content-Length: 1, 1')}a`,
  'a length with a blank inside': `${post('Content-Length: 1 0')}a`,
  'a length that no number holds': post('Content-Length: 18446744073709551617'),
  'an empty length': post('Content-Length:'),
  'a length, folded': `${post('Content-Length:\r\n 1')}a`,
  'a length before a colon with a blank': `${post('Content-Length : 1')}a`,
  'a name with NUL': post('Content\0Length: 1'),
  'a name with CR': post('X\r: 1'),
  'no name': post(': 1'),
  'no colon': post('Content-Length'),
  'lines that end with LF': 'POST /a HTTP/1.1\nHost: example.com\nContent-Length: 0\n\n',
  'a head that ends with LF': 'GET /a HTTP/1.1\r\nHost: example.com\r\n\n',
  'chunks under HTTP/1.0': head('POST /a HTTP/1.0', host, 'Transfer-Encoding: chunked') + end,
  'two hosts': head('GET /a HTTP/1.1', host, 'Host: other.com'),
  'two hosts that agree': head('GET /a HTTP/1.1', host, host),
  'a target of another host': head('GET http://other.com/a HTTP/1.1', host),
  'a target with a user': head('GET http://example.com@other.com/a HTTP/1.1', host),
  'a target that is an authority': head('GET example.com:80 HTTP/1.1', host),
  'a target of another scheme': head('GET file:///etc/passwd HTTP/1.1', host),
  'a tab in the request line': head('GET\t/a\tHTTP/1.1', host),
  'a blank in the target': head('GET /a b HTTP/1.1', host),
}

const refusedChunks: Readonly<Record<string, string>> = {
  'a size that no number holds': `1${'0'.repeat(16)}1\r\na\r\n${end}`,
  'a size in signs': `+1\r\na\r\n${end}`,
  'a size with 0x': `0x1\r\na\r\n${end}`,
  'a size with a blank before it': ` 1\r\na\r\n${end}`,
  'a size line that ends with LF': `1\na\r\n${end}`,
  'a chunk that ends with LF': `1\r\na\n${end}`,
  'a chunk that is longer than it says': `1\r\nab\r\n${end}`,
  'an extension that holds a line end': `1;a="\n\r\n"\r\na\r\n${end}`,
  'an extension that holds CR': `1;a=\rb\r\na\r\n${end}`,
  'an extension that is too long': `1;${'a'.repeat(20_000)}\r\na\r\n${end}`,
  'a length among the trailers': `1\r\na\r\n0\r\nContent-Length: 60\r\n\r\n`,
}

const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(refusedFramings).map(([name, sent]) => [`${name} is refused`, refused(sent)]),
  ),
  ...Object.fromEntries(
    Object.entries(disguises).map(([name, field]) => [
      `Transfer-Encoding beside a length, ${name}`,
      refused(post('Content-Length: 6', field) + end + 'G'),
    ]),
  ),
  'HTTP/0.9 is refused': refused('GET /a\r\n\r\n', 505),
  'a coding under chunked is refused': refused(post('Transfer-Encoding: gzip, chunked') + end, 501),
  'a body of a GET is not a request': served(
    head('GET /a HTTP/1.1', host, `Content-Length: ${smuggled.length}`) + smuggled,
    `GET /a ${smuggled}`,
  ),
  'a chunked body of a GET is not a request': served(
    head('GET /a HTTP/1.1', host, 'Transfer-Encoding: chunked') + chunk(smuggled) + end,
    `GET /a ${smuggled}`,
  ),
  'a body of a DELETE is not a request': served(
    head('DELETE /a HTTP/1.1', host, `Content-Length: ${smuggled.length}`) + smuggled,
    `DELETE /a ${smuggled}`,
  ),
  'a body of an OPTIONS is not a request': served(
    head('OPTIONS /a HTTP/1.1', host, `Content-Length: ${smuggled.length}`) + smuggled,
    `OPTIONS /a ${smuggled}`,
  ),
  'a body of a HEAD is not a request': served(
    head('HEAD /a HTTP/1.1', host, `Content-Length: ${smuggled.length}`) + smuggled,
    `HEAD /a ${smuggled}`,
  ),
  'a body of a POST is not a request': served(
    post(`Content-Length: ${smuggled.length}`) + smuggled,
    `POST /a ${smuggled}`,
  ),
  'a chunked body of a POST is not a request': served(
    post('Transfer-Encoding: chunked') + chunk(smuggled) + end,
    `POST /a ${smuggled}`,
  ),
  'chunk extensions stay here': served(
    `${post('Transfer-Encoding: chunked')}1;a=b;c="d"\r\na\r\n${end}`,
    'POST /a a',
  ),
  'trailers stay here': served(
    `${post('Transfer-Encoding: chunked', 'Trailer: X-T')}1\r\na\r\n0\r\nX-T: 1\r\n\r\n`,
    'POST /a a',
  ),
  'names with an underscore frame nothing': served(
    `${post('Content_Length: 60', 'Transfer_Encoding: chunked', 'Content-Length: 1')}a`,
    'POST /a a',
  ),
  'framing that Connection lists is kept': served(
    `${post('Connection: Content-Length, Host, X-A', 'Content-Length: 1', 'X-A: b')}a`,
    'POST /a a',
  ),
  'a target with its authority': served(head('GET http://example.com/a?b HTTP/1.1', host), 'GET /a?b '),
  'an upgrade to h2c is a plain request': servedLast(
    head(
      'GET /a HTTP/1.1',
      host,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ),
    'GET /a ',
  ),
  'HTTP/1.0 that asks to keep the connection': {
    sent: head('GET /a HTTP/1.0', host, 'Connection: keep-alive') + head('GET /b HTTP/1.0', host),
    statuses: [200, 200],
    taken: ['GET /a ', 'GET /b '],
    isClosed: true,
  },
  'HTTP/1.0 that does not': servedLast(head('GET /a HTTP/1.0', host), 'GET /a '),
  'a connection that the client ends': servedLast(
    head('GET /a HTTP/1.1', host, 'Connection: close'),
    'GET /a ',
  ),
  'ten in a row are ten': {
    sent: Array.from({ length: 10 }, (_, index) => head(`GET /${index} HTTP/1.1`, host)).join(''),
    statuses: Array.from({ length: 10 }, () => 200),
    taken: Array.from({ length: 10 }, (_, index) => `GET /${index} `),
    isClosed: false,
  },
  '100-continue is kept from the origin': {
    sent: `${post('Expect: 100-continue', 'Content-Length: 1')}a`,
    statuses: [100, 200],
    taken: ['POST /a a'],
    isClosed: false,
  },
}

/** http.server gives its handlers the body of a POST if Content-Length frames it, and no other. */
function asPythonTakes(sent: string, taken: string): string {
  const isRead = taken.startsWith('POST ') && !/^Transfer-Encoding: chunked\r$/m.test(sent)
  return isRead ? taken : taken.replace(/^(\S+ \S+ ).*$/s, '$1')
}

/** Go is no part of any test environment: without it its half is skipped by name, on CI too. */
const languages: readonly Language[] = ['python3', 'go']

for (const language of languages) {
  describeWith([language], `the origin sees what was framed, and nothing else: ${language}`, () => {
    let origin: ForeignOrigin
    let bed: Testbed

    beforeAll(async () => {
      origin = await startForeignOrigin(language)
      const routes = { '/*': { to: 'web', limit: '100000/s per ip' } }
      bed = await startTestbed({ section: { routes }, origins: { web: [origin.url] } })
    }, 90_000)
    afterAll(async () => {
      await bed.stop()
      await origin.stop()
    })
    beforeEach(() => {
      origin.taken.length = 0
    })

    test.each(Object.entries(cases))('%s', async (_name, { sent, statuses, taken, isClosed }) => {
      const answer = await sendRaw(bed.port, sent, 250)
      // What was smuggled would have been noted before this is.
      await fetch(`${origin.url}/last`)
      await until(() => origin.taken.some(({ target }) => target === '/last'))
      expect([...answer.text.matchAll(/HTTP\/1\.\d (\d+)/g)].map(([, status]) => Number(status))).toEqual(
        statuses,
      )
      const noted = origin.taken.filter(({ target }) => target !== '/last')
      expect(noted.map(({ method, target, body }) => `${method} ${target} ${body}`)).toEqual(
        language === 'python3' ? taken.map((each) => asPythonTakes(sent, each)) : taken,
      )
      expect(noted.flatMap(({ fields }) => fields).filter(([name]) => /^error|^trailer /.test(name))).toEqual(
        [],
      )
      expect(answer.isClosed).toBe(isClosed)
    })

    test.each(Object.entries(refusedChunks))('a chunked body with %s is refused', async (_name, chunks) => {
      const { text, isClosed } = await sendRaw(
        bed.port,
        post('Transfer-Encoding: chunked') + chunks + smuggled,
      )
      expect([text.slice(0, 13), isClosed]).toEqual(['HTTP/1.1 400 ', true])
      await fetch(`${origin.url}/last`)
      await until(() => origin.taken.some(({ target }) => target === '/last'))
      const noted = origin.taken.filter(({ target }) => target !== '/last')
      expect(noted.map(({ target }) => target)).not.toContain('/smuggled')
      const whole = noted.filter(({ fields }) => !fields.some(([name]) => name === 'error'))
      // http.server knows no chunks, and so cannot tell that a body broke off.
      expect(language === 'go' ? whole : []).toEqual([])
    })

    // http.server answers before it knows, for it does not read chunks.
    if (language === 'python3') return
    test('a body that goes wrong later is not taken for whole', async () => {
      const socket = await openRaw(bed.port)
      const answer = collect(socket, 400)
      socket.write(`${post('Transfer-Encoding: chunked')}3\r\nabc\r\n`)
      await delay(100)
      socket.write(`zz\r\n${smuggled}`)
      expect(await answer).toMatchObject({ text: expect.stringMatching(/^HTTP\/1\.1 400 /), isClosed: true })
      await until(() => origin.taken.length > 0)
      expect(origin.taken[0]?.fields.map(([name]) => name)).toContain('error')
    })
  })
}
