import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openIdBook } from './id-book.ts'
import { chooseId, idRange, isOurs, missingPowers, parseAccounts } from './identity.ts'

describe('the id for a name', () => {
  test('lies in our range, is always the same, and never one that is taken', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.array(fc.integer(idRangeOf())),
        (environment, name, others) => {
          const taken = new Set(others)
          const id = chooseId(environment, name, taken)
          expect(id).toBe(chooseId(environment, name, taken))
          expect(id !== undefined && isOurs(id) && !taken.has(id)).toBe(true)
        },
      ),
    )
  })

  test('is undefined when all are taken', () => {
    const all = Array.from({ length: idRange.last - idRange.first + 1 }, (_, index) => idRange.first + index)
    expect(chooseId('a', 'web', new Set(all))).toBeUndefined()
    expect(chooseId('a', 'web', new Set(all.slice(1)))).toBe(idRange.first)
  })
})

const idRangeOf = () => ({ min: idRange.first, max: idRange.last })

describe('the book', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-ids-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const open = (...taken: readonly number[]) =>
    openIdBook({ path: join(folder, 'users.json'), environment: 'abc', taken: new Set(taken) })

  test('remembers what it gave, and gives no id twice', () => {
    const names = Array.from({ length: 50 }, (_, index) => `service-${index}`)
    const book = open()
    const ids = names.map((name) => book.idOf(name))
    expect(new Set(ids).size).toBe(names.length)
    expect(names.toReversed().map((name) => open().idOf(name))).toEqual(ids.toReversed())
  })

  test('gives another one for an id that a stranger has by now', () => {
    const before = open().idOf('web') ?? 0
    const after = open(before).idOf('web')
    expect(after).not.toBe(before)
    expect(open().idOf('web')).toBe(after)
  })

  test.each(['', 'no json', '[]', '{"web":0}', '{"web":"root"}'])('that reads %j is an empty one', (text) => {
    const fresh = open().idOf('web')
    writeFileSync(join(folder, 'users.json'), text)
    expect(open().idOf('web')).toBe(fresh)
  })
})

test('accounts are read from lines of passwd(5)', () => {
  const accounts = parseAccounts(
    'root:x:0:0:root:/root:/bin/bash\nbroken\nweb:x:1001:33::/srv:/bin/sh\n+::::::\n',
  )
  expect([...accounts]).toEqual([
    ['root', { uid: 0, gid: 0 }],
    ['web', { uid: 1001, gid: 33 }],
  ])
})

test('a root without powers is known by them', () => {
  expect(missingPowers('CapEff:\t000001ffffffffff\n')).toEqual([])
  // What Docker leaves to a container by default.
  expect(missingPowers('CapEff:\t00000000a80425fb\n')).toEqual(['SYS_PTRACE'])
  expect(missingPowers('')).toHaveLength(6)
})
