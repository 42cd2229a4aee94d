import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { noCluster } from '../../capabilities/environment/view.ts'
import { bareEvent } from '../../contracts/supervisor.ts'
import { localEngine } from './index.ts'

let dataDirectory = ''
beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'holdfast-skew-'))
  mkdirSync(join(dataDirectory, 'run'))
  writeFileSync(join(dataDirectory, 'run', 'supervisor.json'), '{"socket":"/nowhere"}')
})
afterEach(() => rmSync(dataDirectory, { recursive: true }))

const event = (number: number, what: string) => ({
  ...bareEvent,
  number,
  at: 1,
  what,
  subject: 'web/1',
  weather: 'fine',
})

/** An engine over a supervisor of a later version, which saw these. */
function engineOver(events: readonly ReturnType<typeof event>[]) {
  const asked: string[] = []
  const engine = localEngine({
    dataDirectory,
    request: ({ path }) => {
      asked.push(path)
      const after = Number(/after=(\d+)/.exec(path)?.[1])
      return Promise.resolve({ status: 200, body: { events: events.filter((each) => each.number > after) } })
    },
  })
  return { engine, asked }
}

const signal = new AbortController().signal

test('what a later supervisor alone has a word for is passed over', async () => {
  const { engine } = engineOver([event(1, 'replica-danced'), event(2, 'replica-exited')])
  expect(await engine.events({ supervisor: 0, cluster: noCluster }, signal)).toMatchObject([
    { number: 2, what: 'replica-exited' },
  ])
})

test('when there is nothing else it is not asked for again and again', async () => {
  const { engine, asked } = engineOver([event(1, 'replica-danced'), event(2, 'replica-sang')])
  expect(await engine.events({ supervisor: 0, cluster: noCluster }, signal)).toEqual([])
  expect(asked.map((path) => path.split('&')[0])).toEqual(['/events?after=0', '/events?after=2'])
})

const status = { pid: 1, version: '9', startedAt: 1, processes: [], replicas: [], notes: [] }
const engineSaying = (body: object) =>
  localEngine({ dataDirectory, request: () => Promise.resolve({ status: 200, body }) })

test('its status is read without what it says besides', async () => {
  expect(await engineSaying({ ...status, moon: 'full' }).status()).toEqual(status)
})

test.each([undefined, 0, 1, 2])('a supervisor that speaks %j is understood', async (protocol) => {
  expect(await engineSaying({ ...status, protocol }).status()).toEqual(status)
})

test.each([3, -1, 'many'])('one that speaks %j is not, whether or not the rest fits', async (protocol) => {
  for (const body of [
    { ...status, protocol },
    { protocol, weather: 'fine' },
  ])
    await expect(engineSaying(body).status()).rejects.toMatchObject({ code: 'house.versions-apart' })
})
