import { describe, expect, test } from 'vitest'
import { linesOfValue, readDifference } from './difference.ts'

describe('a value as lines', () => {
  test.each([
    ['256', ['256']],
    ['5/min per ip', ['5/min per ip']],
    ['["a","b"]', ['a', 'b']],
    ['[]', ['none']],
    ['{}', ['{}']],
    [
      '{"exclusive":false,"deploy":{"keep":5,"before":["migrate","seed"],"after":[]},"note":null}',
      [
        'exclusive: false',
        'deploy.keep: 5',
        'deploy.before: migrate seed',
        'deploy.after: none',
        'note: null',
      ],
    ],
    ['[{"port":8080}]', ['{"port":8080}']],
    // Cut off by control.
    ['{"command":["node","a very...', ['{"command":["node","a very...']],
  ])('%s', (text, lines) => {
    expect(linesOfValue(text)).toEqual(lines)
  })
})

test('what both sides have is told from what one has', () => {
  const read = readDifference({ path: 'limit', before: '["a","b"]', after: '["b","c"]' })
  expect(read.before).toEqual([
    { text: 'a', isOther: true },
    { text: 'b', isOther: false },
  ])
  expect(read.after).toEqual([
    { text: 'b', isOther: false },
    { text: 'c', isOther: true },
  ])
})

test('what is new, or goes, has one side', () => {
  expect(readDifference({ path: '', before: null, after: 'x' })).toEqual({
    path: '',
    before: null,
    after: [{ text: 'x', isOther: true }],
  })
  expect(readDifference({ path: '', before: 'x', after: null }).after).toBe(null)
})

test('what is hidden is marked on both sides: it differs, although it does not look so', () => {
  const read = readDifference({ path: 'env.TOKEN', before: '(hidden)', after: '(hidden)' })
  const lines = [{ text: '(hidden)', isOther: true }]
  expect([read.before, read.after]).toEqual([lines, lines])
})
