import { expect, test } from 'vitest'
import { answerData, sayEngine, type DatabaseView, type VolumeView } from './data.ts'

const database = (name: string, more: Partial<DatabaseView> = {}): DatabaseView => ({
  name,
  engine: 'postgres',
  managed: true,
  version: '15.18',
  state: 'healthy',
  says: '',
  address: '',
  url: '',
  missing: [],
  names: [],
  usedBy: [],
  createdAt: 1,
  sizeBytes: 2 ** 20,
  ...more,
})
const volume = (name: string, more: Partial<VolumeView> = {}): VolumeView => ({
  name,
  place: '',
  named: true,
  exclusive: false,
  usedBy: [],
  sizeBytes: 2 ** 20,
  since: 1,
  ...more,
})
const external = { managed: false, sizeBytes: null, createdAt: null }

test.each([
  [[], [], 'The environment file names no database and no volume: what services keep is their own affair.'],
  [[database('main')], [], 'In 1 database, 1.0 MiB in all.'],
  [[database('main'), database('cache')], [volume('a')], 'In 2 databases and 1 volume, 3.0 MiB in all.'],
  [
    [database('main')],
    [volume('a', { sizeBytes: null })],
    'In 1 database and 1 volume, at least 1.0 MiB in all.',
  ],
  [[], [volume('a', { sizeBytes: null })], 'In 1 volume.'],
  [[database('main', external)], [], 'No data is kept here; elsewhere: main.'],
  [
    [database('main', { state: 'down' }), database('cache', { state: 'starting' })],
    [volume('a', { named: false }), volume('b', { named: false }), volume('c', { named: false })],
    'In 2 databases and 3 volumes, 5.0 MiB in all; not healthy: main and cache; left over: a, b and c.',
  ],
])('where the data are: %#', (databases, volumes, says) => {
  expect(
    answerData(databases, volumes)
      .map(({ text }) => text)
      .join(''),
  ).toBe(says)
})

test('an engine has its name and its version, as far as it is known', () => {
  expect(sayEngine(database('main'))).toBe('PostgreSQL 15.18')
  expect(sayEngine({ engine: 'mariadb', version: null })).toBe('MariaDB')
})
