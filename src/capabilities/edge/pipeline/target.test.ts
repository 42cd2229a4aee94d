import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparable, normaliseTarget } from './target.ts'

const pathOf = (raw: string): string | null => {
  const target = normaliseTarget(raw)
  return typeof target === 'string' ? null : target.path
}

describe('a target', () => {
  test.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['/a//b', '/a/b'],
    ['//a', '/a'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['/%2e%2e/a', '/a'],
    ['/a/%2E%2e/b', '/b'],
    ['/%61%7e', '/a~'],
    ['/a%3ab', '/a%3Ab'],
    ['/a%20b', '/a%20b'],
    ['/.hidden', '/.hidden'],
    ['/a..b', '/a..b'],
    ['/...', '/...'],
    ['http://example.com', '/'],
    ['http://example.com/a/../b', '/b'],
    ['/%2561', '/%2561'],
  ])('%s is %s', (raw, path) => {
    expect(pathOf(raw)).toBe(path)
  })

  test.each([
    '*',
    '/a#b',
    '/a?b#c',
    '/a%2fb',
    '/a%2Fb',
    '/a\\b',
    '/a%5cb',
    '/%00',
    '/a%',
    '/a%2',
    '/a%gg',
    'a/b',
  ])('%s is refused', (raw) => {
    expect(typeof normaliseTarget(raw)).toBe('string')
  })

  test('the query stays as it is', () => {
    expect(normaliseTarget('/a?b=%7e&c=/../d')).toEqual({ path: '/a', query: '?b=%7e&c=/../d' })
  })

  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    'B',
    '%2e',
    '%2E',
    '%41',
    '%3a',
    '~',
    ';x',
    ':',
    '%20',
    '//',
  )
  const written = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

  test('normalising twice changes nothing more, and no dot part or double slash is left', () => {
    fc.assert(
      fc.property(written, (raw) => {
        const path = pathOf(raw)
        expect(path).not.toBeNull()
        expect(pathOf(path ?? '')).toBe(path)
        expect(path).not.toMatch(/\/\/|\/\.{1,2}(\/|$)/)
        expect(path).toMatch(/^\//)
      }),
    )
  })

  test('it means what the URL standard says, wherever that agrees on slashes', () => {
    fc.assert(
      fc.property(written, (raw) => {
        fc.pre(!raw.includes('//'))
        const standard = new URL(`http://a${raw}`).pathname
        expect(pathOf(raw)).toBe(pathOf(standard))
      }),
    )
  })

  test('whatever bytes come, it answers and never with a trick left in the path', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = pathOf(`/${text}`)
        expect(path ?? '').not.toMatch(/\\|%5c|%2f|%00|#|\/\.\.(\/|$)/i)
      }),
    )
  })
})

test('comparing ignores case and parameters', () => {
  expect(comparable('/Login;jsessionid=1/X')).toBe('/login/x')
})
