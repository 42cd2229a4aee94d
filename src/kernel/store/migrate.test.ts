import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { checkStore, migrateStore, pragma, type StoreKind } from './file.ts'

const kind: StoreKind = {
  applicationId: 7,
  version: 3,
  schema: '',
  migrations: { 1: 'CREATE TABLE two (x); INSERT INTO one VALUES (2)', 2: 'CREATE TABLE three (x)' },
  stranger: 'it is something else',
  corrupt: (path, why) => new Error(`${path}: ${why}`),
}

function storeOf(version: number, applicationId = 7): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec(`CREATE TABLE one (x); PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
  return db
}

test('every version on the way is passed, and what was there stays', () => {
  const db = storeOf(1)
  migrateStore(db, kind)
  checkStore(db, 'a', kind)
  expect(pragma(db, 'user_version')).toBe(3)
  expect(db.prepare('SELECT x FROM one').all()).toEqual([{ x: 2 }])
  migrateStore(db, kind)
  expect(db.prepare('SELECT count(*) AS rows FROM one').get()).toEqual({ rows: 1 })
})

test('a step that fails leaves the version before it, whole', () => {
  const db = storeOf(1)
  const failing = {
    ...kind,
    migrations: { ...kind.migrations, 2: 'CREATE TABLE three (x); CREATE TABLE one (x)' },
  }
  expect(() => migrateStore(db, failing)).toThrow('already exists')
  expect(pragma(db, 'user_version')).toBe(2)
  expect(() => db.prepare('SELECT * FROM three')).toThrow('no such table')
})

test.each([
  [4, 7, 'a newer one wrote it'],
  [0, 7, 'have version 0'],
  [1, 8, 'it is something else'],
])('one of version %i of program %i is left as it is and refused', (version, applicationId, why) => {
  const db = storeOf(version, applicationId)
  migrateStore(db, kind)
  expect(pragma(db, 'user_version')).toBe(version)
  expect(() => checkStore(db, 'a', kind)).toThrow(why)
})
