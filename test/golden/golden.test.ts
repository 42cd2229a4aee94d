import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kinds } from './runner/kinds.ts'
import { readCases, writeExpected } from './runner/two-parts.ts'

/*
 * Golden files: an input, a line of `---`, and what comes of it. UPDATE_GOLDEN=1 writes what comes of it now; read the
 * difference before you commit it.
 */

const cases = join(import.meta.dirname, 'cases')
const updates = process.env['UPDATE_GOLDEN'] === '1'

describe.each(Object.entries(kinds))('%s', (name, kind) => {
  test.each(readCases(join(cases, name)))('$name', async (golden) => {
    const actual = (await kind(golden.input)).trimEnd()
    if (updates) writeExpected(golden, actual)
    expect(actual).toBe(updates ? actual : golden.expected)
  })
})

describe('golden files', () => {
  test('each folder has a kind', () => {
    expect(readdirSync(cases).sort()).toEqual(Object.keys(kinds).sort())
  })

  test('what is refused is refused, and each with a hint', () => {
    const refused = readCases(join(cases, 'refused')).map(({ name, expected }) => [name, expected])
    expect(refused.filter(([, expected]) => expected?.startsWith('error: ') !== true)).toEqual([])
    expect(refused.filter(([, expected]) => expected?.includes('\nhint: -\n') !== false)).toEqual([])
  })
})
