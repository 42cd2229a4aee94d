import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { logFiles } from './index.ts'
import { blockBytes, longestLineBytes } from './read.ts'

let directory = ''
let file = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-logs-'))
  file = join(directory, 'web-1.log')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `line ${index + 1} ✓`)

describe('the tail of a log', () => {
  test('no file has no lines', async () => {
    expect(await logFiles.tail(file, 10)).toEqual({ lines: [], end: 0 })
  })

  test('a large file gives its last lines, and only them', async () => {
    const text = `${numbered(50_000).join('\n')}\n`
    writeFileSync(file, text)
    const { lines, end } = await logFiles.tail(file, 3)
    expect(lines).toEqual(['line 49998 ✓', 'line 49999 ✓', 'line 50000 ✓'])
    expect(end).toBe(Buffer.byteLength(text))
  })

  test('more lines than one block holds', async () => {
    const all = numbered(20_000)
    writeFileSync(file, `${all.join('\n')}\n`)
    expect((await logFiles.tail(file, 12_000)).lines).toEqual(all.slice(-12_000))
  })

  test('a line across the border of two blocks is whole', async () => {
    const [first, second] = ['a'.repeat(40_000), 'b'.repeat(40_000)]
    writeFileSync(file, `${first}\n${second}\n`)
    expect((await logFiles.tail(file, 2)).lines).toEqual([first, second])
  })

  test('a character across the border of two blocks is whole', async () => {
    for (const shift of [0, 1, 2, 3]) {
      const end = `\n${'x'.repeat(blockBytes - 3 + shift)}`
      writeFileSync(file, `before 🦀${end}`)
      expect((await logFiles.tail(file, 2)).lines).toEqual(['before 🦀', end.slice(1)])
    }
  })

  test('of a very long line the end is given, from the start of a character', async () => {
    writeFileSync(file, `first\n${'€'.repeat(longestLineBytes)}!!\n`)
    const [first, long = ''] = (await logFiles.tail(file, 2)).lines
    expect(first).toBe('first')
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(longestLineBytes)
    expect(long).toMatch(/^€+!!$/)
  })

  test('a huge file without any newline costs no more than its end', async () => {
    writeFileSync(file, '')
    truncateSync(file, 3 * 1024 * 1024 * 1024)
    appendFileSync(file, 'end')
    const { lines, end } = await logFiles.tail(file, 5000)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/end$/)
    expect(end).toBe(3 * 1024 * 1024 * 1024 + 3)
  })

  test('right after a rotation the lines before it are there', async () => {
    writeFileSync(`${file}.1`, 'one\ntwo\nthree\n')
    writeFileSync(file, 'four\n')
    expect(await logFiles.tail(file, 3)).toEqual({ lines: ['two', 'three', 'four'], end: 5 })
  })

  test('for any text and number: the last lines of it', async () => {
    const piece = fc.oneof(fc.constantFrom('', 'a', 'é', '🦀', '\r'), fc.string({ unit: 'grapheme' }))
    const line = piece.map((text) => text.replaceAll('\n', ''))
    const check = async (lines: string[], count: number, closed: boolean): Promise<void> => {
      const text = lines.join('\n') + (closed && lines.length > 0 ? '\n' : '')
      writeFileSync(file, text)
      const all = text === '' ? [] : text.replace(/\n$/, '').split('\n')
      expect((await logFiles.tail(file, count)).lines).toEqual(all.slice(-count))
    }
    await fc.assert(fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 12 }), fc.boolean(), check))
  })
})

/** Follows until `count` lines have come. */
async function collect(lines: AsyncIterable<string>, count: number): Promise<readonly string[]> {
  const found: string[] = []
  for await (const line of lines) {
    found.push(line)
    if (found.length === count) break
  }
  return found
}

describe('following a log', () => {
  let stopping = new AbortController()
  beforeEach(() => {
    stopping = new AbortController()
  })
  afterEach(() => stopping.abort())

  const follow = (from: number): AsyncIterable<string> => logFiles.follow(file, from, stopping.signal)

  test('goes on where the tail ended, also with what came in between', async () => {
    writeFileSync(file, 'old\n')
    const { end } = await logFiles.tail(file, 10)
    appendFileSync(file, 'between\n')
    const lines = collect(follow(end), 2)
    appendFileSync(file, 'later\n')
    expect(await lines).toEqual(['between', 'later'])
  })

  test('a line is said when it is whole, its characters too', async () => {
    const bytes = Buffer.from('half 🦀 a line\nnext\n')
    writeFileSync(file, bytes.subarray(0, 7))
    const iterator = follow(0)[Symbol.asyncIterator]()
    const first = iterator.next()
    await logFiles.tail(file, 1)
    appendFileSync(file, bytes.subarray(7))
    expect(await first).toMatchObject({ value: 'half 🦀 a line' })
    expect(await iterator.next()).toMatchObject({ value: 'next' })
  })

  test('a file that is missing may appear later', async () => {
    const lines = collect(follow(0), 1)
    await logFiles.tail(file, 1)
    writeFileSync(file, 'here I am\n')
    expect(await lines).toEqual(['here I am'])
  })

  test('a log that is copied and truncated goes on at its start', async () => {
    writeFileSync(file, 'one\ntwo\nthree\n')
    const iterator = follow(0)[Symbol.asyncIterator]()
    for (const value of ['one', 'two', 'three']) expect(await iterator.next()).toMatchObject({ value })
    const next = iterator.next()
    truncateSync(file)
    appendFileSync(file, 'four\n')
    expect(await next).toMatchObject({ value: 'four' })
  })

  test('a log that is renamed and begun anew goes on, too', async () => {
    writeFileSync(file, 'one\ntwo\n')
    const iterator = follow(4)[Symbol.asyncIterator]()
    expect(await iterator.next()).toMatchObject({ value: 'two' })
    const next = iterator.next()
    renameSync(file, `${file}.1`)
    writeFileSync(file, 'new\n')
    expect(await next).toMatchObject({ value: 'new' })
  })

  test('a very long line comes in pieces that lose nothing', async () => {
    const long = 'ö'.repeat(5 * longestLineBytes)
    writeFileSync(file, `${long}\nshort\n`)
    const pieces: string[] = []
    for await (const line of follow(0)) {
      if (line === 'short') break
      expect(line.length).toBeLessThanOrEqual(2 * longestLineBytes)
      pieces.push(line)
    }
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('')).toBe(long)
  })

  test.each(['there', 'missing'])(
    'an abort ends it at once, not at the next look; the file %s',
    async (state) => {
      vi.useFakeTimers({ toFake: ['setTimeout'] }) // so there is no next look
      onTestFinished(() => void vi.useRealTimers())
      if (state === 'there') writeFileSync(file, 'old\n')
      const lines = collect(follow(4), 1)
      await logFiles.tail(file, 1)
      stopping.abort()
      expect(await lines).toEqual([])
    },
  )

  test('one that is aborted already says nothing', async () => {
    writeFileSync(file, 'old\n')
    stopping.abort()
    expect(await collect(follow(0), 1)).toEqual([])
  })
})
