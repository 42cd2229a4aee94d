import { array, assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePlace, placeOf } from './router.ts'

describe('places', () => {
  test('a route name with a slash and a space survives the address', () => {
    const place = parsePlace(placeOf(['limits', 'edge.route.POST /login'], { range: '1h' }))
    expect(place.path).toEqual(['limits', 'edge.route.POST /login'])
    expect(place.query.get('range')).toBe('1h')
  })

  test('whatever is written is read back', () => {
    const part = string({ minLength: 1, unit: 'grapheme' })
    assert(
      property(array(part, { maxLength: 4 }), part, (path, value) => {
        const place = parsePlace(placeOf(path, { value }))
        expect(place.path).toEqual(path)
        expect(place.query.get('value')).toBe(value)
      }),
    )
  })

  test('a broken address is the overview or its own text, never an exception', () => {
    expect(parsePlace('').path).toEqual([])
    expect(parsePlace('#sign-in=abc').path).toEqual([])
    expect(parsePlace('#/%E0%A4%A').path).toEqual(['%E0%A4%A'])
  })
})
