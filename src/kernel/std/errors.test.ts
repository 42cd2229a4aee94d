import { expect, it } from 'vitest'
import {
  asHoldfastError,
  assert,
  errorFromPlain,
  HoldfastError,
  plainError,
  systemCode,
  unreachable,
} from './index.ts'

const parts = {
  code: 'timeline.locked',
  kind: 'operational',
  message: 'another process has it',
  hint: 'stop it',
  path: 'data',
} as const

it('is an error with all that a person needs', () => {
  const cause = new Error('EAGAIN')
  const error = new HoldfastError({ ...parts, cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ ...parts, name: 'HoldfastError', cause })
})

it('crosses a door as plain data, without stack or cause, and comes back', () => {
  const plain = plainError(new HoldfastError({ ...parts, cause: new Error('secret') }))
  expect(plain).toEqual(parts)
  expect(JSON.stringify(plain)).not.toContain('secret')
  expect(errorFromPlain(plain)).toMatchObject(parts)
  expect(Object.keys(plainError(new HoldfastError({ code: 'a.b', kind: 'user', message: 'm' })))).toEqual([
    'code',
    'kind',
    'message',
  ])
})

it('takes a stranger for a bug, and keeps what it said', () => {
  const stranger = new TypeError('x is not a function')
  expect(asHoldfastError(stranger)).toMatchObject({
    code: 'kernel.unexpected',
    kind: 'bug',
    message: stranger.message,
    cause: stranger,
  })
  expect(asHoldfastError('just text')).toMatchObject({ kind: 'bug', message: 'just text' })
  const known = new HoldfastError(parts)
  expect(asHoldfastError(known)).toBe(known)
})

it("finds the system's code", () => {
  expect(systemCode(Object.assign(new Error('gone'), { code: 'ENOENT' }))).toBe('ENOENT')
  expect(systemCode(new Error('plain'))).toBeUndefined()
  expect(systemCode(Object.assign(new Error('odd'), { code: 7 }))).toBeUndefined()
  expect(systemCode(null)).toBeUndefined()
  expect(systemCode('text')).toBeUndefined()
})

it('asserts', () => {
  expect(() => assert(1 === 1, 'fine')).not.toThrow()
  expect(() => assert(0, 'zero')).toThrow(
    expect.objectContaining({ code: 'kernel.assertion-failed', kind: 'bug', message: 'zero' }),
  )
  expect(() => unreachable('left' as never)).toThrow('unreachable value "left"')
})
