import { expect, test } from 'vitest'
import { isFault, readHead } from './head.ts'

function cookiesSeen(...cookies: readonly string[]): readonly string[] {
  const raw = ['Host', 'game.example', ...cookies.flatMap((cookie) => ['Cookie', cookie])]
  const head = readHead(raw, '1.1', '/')
  if (isFault(head)) throw new Error(head.detail)
  return head.fields.filter(
    (_, index) => head.fields[index - 1]?.toLowerCase() === 'cookie' && index % 2 === 1,
  )
}

test('the session of the console is not the service’s to see; its own cookies are', () => {
  expect(cookiesSeen('a=1; holdfast_session=secret; b=2')).toEqual(['a=1; b=2'])
  expect(cookiesSeen('holdfast_session=secret')).toEqual([])
  expect(cookiesSeen('holdfast_session=secret; a=1')).toEqual(['a=1'])
  expect(cookiesSeen('a=1; b="x"')).toEqual(['a=1; b="x"'])
  expect(cookiesSeen('my_holdfast_session=1')).toEqual(['my_holdfast_session=1'])
})
