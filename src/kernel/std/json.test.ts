import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson, type Json, type JsonObject } from './index.ts'

const anyJson = fc.jsonValue() as fc.Arbitrary<Json>

it('comes back as it was', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

it('is the same text for equal values, whatever the order of their keys', () => {
  const members = fc.dictionary(fc.string(), anyJson)
  fc.assert(
    fc.property(members, (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed())
      expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      expect(canonicalJson(JSON.parse(canonicalJson(value)) as Json)).toBe(canonicalJson(value))
    }),
  )
})

it('agrees with RFC 8785', () => {
  // Keys sort by UTF-16 units (section 3.2.3), numbers print as ECMAScript prints them (3.2.2.3).
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
  expect(canonicalJson(value)).toBe(
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
  )
  expect(canonicalJson([1 / 3, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
    '[0.3333333333333333,1e+30,4.5,0.002,1e-27,0]',
  )
  expect(canonicalJson({ 10: 1, 9: 2, a: '\u000f\n"\\/' })).toBe('{"10":1,"9":2,"a":"\\u000f\\n\\"\\\\/"}')
})

it('leaves out what is undefined, as JSON does', () => {
  const value = { b: undefined, a: [undefined, 1] } as unknown as JsonObject
  expect(canonicalJson(value)).toBe('{"a":[null,1]}')
})
