import { stripVTControlCharacters } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnsOf, createPaper, cut, genericLines, harmless, pad, sayAgo, table } from './index.ts'
import { progressLine } from './progress.ts'

const nowMs = Date.UTC(2026, 2, 14, 12)
const plain = createPaper({ terminal: false, colour: false, nowMs })
const colourful = createPaper({ terminal: true, colour: true, width: 60, nowMs })

describe('text', () => {
  test('columns count wide characters twice and colours not at all', () => {
    expect(columnsOf('日本')).toBe(4)
    expect(columnsOf(colourful.paint('bad', 'down'))).toBe(4)
  })

  test('cut and padded text has the columns that were asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 40 }), (text, columns) => {
        expect(columnsOf(cut(text, columns))).toBeLessThanOrEqual(columns)
        expect(columnsOf(pad(cut(text, columns), columns))).toBe(columns)
      }),
    )
  })

  test('no text from outside keeps a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // eslint-disable-next-line no-control-regex -- control characters are what it looks for
        expect(harmless(text)).not.toMatch(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/)
      }),
    )
  })
})

describe('a table', () => {
  test('aligns columns, numbers to the right', () => {
    const lines = table(
      [{ title: 'NAME' }, { title: 'PID', align: 'right' }, { title: 'SAYS' }],
      [
        ['web', '7', 'fine'],
        ['mailer', '1234', 'fine too'],
      ],
      plain,
    )
    expect(lines).toEqual(['NAME     PID  SAYS', 'web        7  fine', 'mailer  1234  fine too'])
  })

  test('says the same without colour', () => {
    const row = (paper: typeof plain) => table([{ title: 'A' }], [[paper.paint('good', 'healthy')]], paper)
    expect(row(colourful).map(stripVTControlCharacters)).toEqual(row(plain))
    expect(row(colourful)).not.toEqual(row(plain))
  })
})

describe('any value', () => {
  test('is shown field by field, lists as tables', () => {
    const value = { name: 'web', count: 2, rows: [{ id: 'a', expiresAt: nowMs - 60_000 }] }
    const lines = genericLines(value, plain)
    expect(lines.slice(0, 4)).toEqual(['name   web', 'count  2', '', 'rows'])
    expect(lines.at(-1)).toContain('60 s ago')
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(genericLines(value as never, plain).every((line) => typeof line === 'string')).toBe(true)
      }),
    )
  })
})

test('times are said as people say them', () => {
  expect(sayAgo(nowMs - 500, nowMs)).toBe('just now')
  expect(sayAgo(nowMs - 5000, nowMs)).toBe('5 s ago')
  expect(sayAgo(nowMs - 600_000, nowMs)).toBe('10 min ago')
  expect(sayAgo(nowMs + 600_000, nowMs)).toBe('in 10 min')
})

test('progress is one line that fits', () => {
  const job = { share: 0.5, says: 'restarting '.repeat(20), operation: 'environment.restart' }
  const line = progressLine(job as never, colourful)
  expect(line).toMatch(/^█{12}░{12} {2}50%/)
  expect(columnsOf(line)).toBeLessThan(60)
})
