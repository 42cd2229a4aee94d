import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { markPath } from '../../kernel/store/index.ts'
import { memoryJournal, sqliteJournal } from './index.ts'
import { describeJournal } from './journal.conformance.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-limit-journal-'))
let number = 0
const newPath = (): string => join(folder, String(++number), 'limits.db')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeJournal('in memory', () => {
  const journal = memoryJournal()
  return { again: () => journal }
})

describeJournal('in a file', () => {
  const path = newPath()
  return { again: () => sqliteJournal({ path }) }
})

async function written(path: string, entries: readonly string[]): Promise<void> {
  const journal = sqliteJournal({ path })
  await journal.open(0)
  for (const entry of entries) await journal.append([entry])
  await journal.close()
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

describe('a journal in a file', () => {
  test('is readable by its owner only', async () => {
    const path = newPath()
    await written(path, ['a'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('has one writer', async () => {
    const path = newPath()
    const first = sqliteJournal({ path })
    await first.open(0)
    await first.append(['a'])
    const error = await sqliteJournal({ path })
      .open(0)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'limits.journal-failed' })
    await first.append(['b'])
    await first.close()
  })

  test.each([
    ['an entry was changed', "UPDATE entries SET texts = 'x' WHERE number = 2"],
    ['an entry is gone', 'DELETE FROM entries WHERE number = 2'],
    ['an entry was put in', "INSERT INTO entries VALUES (9, 'x', 1)"],
    ['the snapshot is gone', 'DELETE FROM snapshot'],
    ['the snapshot was changed', "UPDATE snapshot SET content = x'00', state = '{}'"],
    ['it is of a later version', 'PRAGMA user_version = 2'],
    ['it is something else', 'PRAGMA application_id = 7'],
  ])('says so when %s', async (_, sql) => {
    const path = newPath()
    await written(path, ['a', 'b', 'c'])
    change(path, sql)
    await expect(sqliteJournal({ path }).open(0)).rejects.toMatchObject({ code: 'limits.journal-corrupt' })
  })

  test('is never made anew in the place of a file that is empty or no database', async () => {
    const path = newPath()
    await written(path, ['a'])
    for (const content of ['', 'no database, but long enough to be looked at '.repeat(100)]) {
      writeFileSync(path, content)
      await expect(sqliteJournal({ path }).open(0)).rejects.toMatchObject({ code: 'limits.journal-corrupt' })
      expect(statSync(path).size).toBe(content.length)
    }
  })

  test('says how many entries are gone with a lost -wal, until the next commit', async () => {
    const path = newPath()
    await written(path, ['a'])
    const killed = sqliteJournal({ path })
    await killed.open(0)
    await killed.append(['b', 'c'])
    await killed.append(['d'])
    const left = newPath()
    mkdirSync(dirname(left))
    for (const each of [(of: string) => of, markPath]) copyFileSync(each(path), each(left))
    await killed.close()
    for (const [forgotten, appended] of [
      [3, []],
      [3, ['e']],
      [0, []],
    ] as const) {
      const journal = sqliteJournal({ path: left })
      expect(await journal.open(0)).toMatchObject({ forgotten })
      await journal.append(appended)
      await journal.close()
    }
    const whole = sqliteJournal({ path })
    expect(await whole.open(0)).toMatchObject({ entries: ['a', 'b', 'c', 'd'], forgotten: 0 })
    await whole.close()
  })

  test('without space takes nothing, and goes on when there is some', async () => {
    const path = newPath()
    const journal = sqliteJournal({ path, maxFileBytes: 65_536 })
    await journal.open(0)
    await journal.append(['a'])
    const large = ['x'.repeat(100_000)]
    await expect(journal.append(large)).rejects.toMatchObject({ code: 'limits.journal-failed' })
    await journal.append(['b'])
    await journal.close()
    const next = sqliteJournal({ path })
    expect((await next.open(0)).entries).toEqual(['a', 'b'])
    await next.append(large)
    await next.close()
  })

  test('refuses calls while it is not open', async () => {
    const journal = sqliteJournal({ path: newPath() })
    await expect(journal.append(['a'])).rejects.toMatchObject({ code: 'limits.journal-failed' })
    await journal.close()
  })
})
