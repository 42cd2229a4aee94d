import {
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makePlace, mustRun, until, type Place } from '../support/holdfast/index.ts'
import { processesWith } from '../support/holdfast/left.ts'

const origin = join(import.meta.dirname, '..', 'support', 'holdfast', 'origin.mjs')

let here: Place
let saved = ''
beforeAll(async () => {
  here = await makePlace()
  saved = `${here.data}-saved`
  const environment = {
    name: 'damage',
    services: { web: { command: [process.execPath, origin], health: '/healthz' } },
    edge: { routes: { '/*': { to: 'web', limit: '1000/s' } } },
  }
  here.write('holdfast.config.ts', `export default ${JSON.stringify(environment)}\n`)
  const up = await here.up()
  mustRun(up)
  here.run('down')
  await up.ended
  renameSync(here.data, saved)
})
afterAll(() => here.clear())

const path = (file: string): string => join(here.data, file)

function flip(file: string, offsets: readonly number[]): void {
  const bytes = readFileSync(path(file))
  for (const offset of offsets) bytes[offset] = (bytes[offset] ?? 0) ^ 0xff
  writeFileSync(path(file), bytes)
}

const everyPage = (file: string): number[] =>
  Array.from({ length: Math.floor(statSync(path(file)).size / 4096) - 1 }, (_, page) => (page + 1) * 4096)

function whole(): void {
  rmSync(here.data, { recursive: true, force: true })
  cpSync(saved, here.data, { recursive: true })
}

describe('a damaged database: one message, a non-zero exit, nothing left running, nothing made anew', () => {
  test.each([
    ['timeline.db with another head', 'timeline.corrupt', 74, () => flip('timeline.db', [0, 1, 2, 20])],
    [
      'timeline.db with flipped pages',
      'timeline.corrupt',
      74,
      () => flip('timeline.db', everyPage('timeline.db')),
    ],
    ['timeline.db cut in half', 'timeline.corrupt', 74, () => truncateSync(path('timeline.db'), 8192)],
    ['timeline.db gone', 'timeline.corrupt', 74, () => unlinkSync(path('timeline.db'))],
    ['series.db with another head', 'series.corrupt', 74, () => flip('series.db', [0, 1, 2, 20])],
    [
      'lock.db of something else',
      'supervisor.data-unwritable',
      73,
      () => writeFileSync(path('lock.db'), 'x'.repeat(9000)),
    ],
  ])('%s', { timeout: 60_000 }, async (...[name, code, exit, damage]) => {
    whole()
    damage()
    const file = path(name.split(' ')[0] ?? '')
    const contents = (): string => (existsSync(file) ? readFileSync(file, 'hex') : 'gone')
    const before = contents()
    const up = await here.up()
    expect(await up.ended).toBe(exit)
    expect(up.said()).toContain(`code: ${code}`)
    expect(up.said()).toContain('hint: ')
    expect(contents()).toBe(before)
    expect(processesWith(here.directory)).toEqual([])
    const verified = here.run('timeline', 'verify', '--offline').code
    expect(verified === 0).toBe(!name.startsWith('timeline'))
  })

  test('facts that were lost with a -wal file are missed', { timeout: 60_000 }, async () => {
    whole()
    const hash = 'a'.repeat(64)
    writeFileSync(path('timeline.head'), `4000:${hash}\n`)
    const up = await here.up()
    expect(await up.ended).toBe(74)
    expect(up.said()).toContain('its newest facts are missing')
    expect(here.run('timeline', 'verify', '--offline').code).toBe(1)
  })
})

test('files that can be made anew may hold anything', { timeout: 60_000 }, async () => {
  whole()
  const garbage = ['{"half', 'null', '[null,{"pid":1}]', '\u0000\u0000', 'SSLH'.repeat(99)]
  const files = [
    'environment.json',
    'edge/policy.json',
    'supervisor/desired.json',
    'supervisor/replicas.json',
    'edge/limits.table',
  ]
  for (const [index, file] of files.entries()) writeFileSync(path(file), garbage[index] ?? '')
  writeFileSync(path('supervisor/events.jsonl'), 'null\n{"number":"x"}\n[[[\n')
  const stale = JSON.stringify({
    pid: 1,
    socket: '/nowhere',
    url: 'http://127.0.0.1:1',
    processes: [null, 3],
  })
  for (const file of ['supervisor', 'control', 'edge', 'processes', 'control-failed'])
    writeFileSync(path(`run/${file}.json`), stale)
  const up = await here.up()
  mustRun(up)
  await until('the service', async () => (await fetch(here.edgeUrl)).status === 200)
  expect(here.run('status').out).toContain('unreadable and are left out')
  expect(here.run('timeline', 'verify').code).toBe(0)
  expect(here.run('down').code).toBe(0)
  await up.ended
})
