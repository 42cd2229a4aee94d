import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCombinedParser, parseJson } from './formats.ts'
import { readLog } from './read-log.ts'

let place = ''
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'holdfast-simulate-'))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = []
  for await (const some of readLog(file)) lines.push(...some)
  return lines
}

const many = Array.from(
  { length: 20_000 },
  (_, index) => `line ${index} with an é and enough text for two chunks`,
)

test('a log is read whole, packed or not, and a character over two chunks stays one', async () => {
  const [plain, packed] = [join(place, 'access.log'), join(place, 'access.log.gz')]
  writeFileSync(plain, many.join('\n'))
  writeFileSync(packed, gzipSync(`${many.join('\n')}\n`))
  expect(await linesOf(plain)).toEqual(many)
  expect(await linesOf(packed)).toEqual(many)
})

test('one that is not there, or is packed and broken, says so', async () => {
  await expect(linesOf(join(place, 'none.log'))).rejects.toMatchObject({ code: 'cli.no-file' })
  const torn = join(place, 'torn.gz')
  writeFileSync(torn, gzipSync(many.join('\n')).subarray(0, 200))
  await expect(linesOf(torn)).rejects.toMatchObject({ code: 'cli.no-file' })
})

test('the combined format is read with its zone, user, host and agent', () => {
  const parse = createCombinedParser()
  const line =
    'shop.example.com:443 203.0.113.7 - ada [01/Mar/2026:13:00:02 +0100] "GET /a?b HTTP/1.1" 404 1 "-" "x y"'
  expect(parse(line)).toEqual({
    atMs: Date.UTC(2026, 2, 1, 12, 0, 2),
    address: '203.0.113.7',
    method: 'GET',
    target: '/a?b',
    host: 'shop.example.com',
    user: 'ada',
    userAgent: 'x y',
    status: 404,
    durationMs: null,
  })
  expect(parse('nothing of the kind')).toBeNull()
})

test.each(['{}', '[]', 'null', '{"time":1}', '{"time":"?","ip":"a","method":"GET","uri":"/"}', '{'])(
  '%s is no request',
  (line) => expect(parseJson(line)).toBeNull(),
)

test.each([
  ['"x" 0.250', 250],
  ['"x" 1.500 0.001 .', 1500],
  ['"x" "1.2.3.4" rt=0.007 uct="0.000"', 7],
  ['"x \\"0.9\\" y" request_time:2.000', 2000],
  ['"x" 1234', null],
  ['"0.500"', null],
])('of the rest of a line %s is a request time of %s ms', (rest, durationMs) => {
  const line = `203.0.113.7 - - [01/Mar/2026:13:00:02 +0100] "GET / HTTP/1.1" 200 1 "-" ${rest}`
  expect(createCombinedParser()(line)?.durationMs).toBe(durationMs)
})

test.each([
  [{ duration: 0.0125 }, 13],
  [{ duration: '1m2.5s' }, 62_500],
  [{ request_time: '0.250' }, 250],
  [{ responseTime: 12.4 }, 12],
  [{ duration: 'long' }, null],
])('%j took %s ms', (more, durationMs) => {
  const line = JSON.stringify({ time: 1, ip: '203.0.113.7', method: 'GET', uri: '/', ...more })
  expect(parseJson(line)?.durationMs).toBe(durationMs)
})
