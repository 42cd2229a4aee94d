import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDoor, type Door } from './door.ts'

let directory = ''
let door: Door
const done: string[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-door-'))
  done.length = 0
  door = await openDoor(join(directory, 'door.sock'), {
    status: () => ({ pid: 1, version: '1', startedAt: 1, processes: [], replicas: [], notes: [] }),
    tampering: () => ({ strays: [], frozen: [], limits: [] }),
    put: () => void done.push('put'),
    restart: () => void done.push('restart'),
    events: () => Promise.resolve([]),
    measure: () => Promise.resolve(null),
    discard: () => Promise.resolve(void done.push('discard')),
    stop: () => void done.push('stop'),
    handOver: () => void done.push('hand over'),
  })
})
afterEach(() => {
  door.close()
  rmSync(directory, { recursive: true, force: true })
})

function ask(what: string, protocol: string | undefined): Promise<{ status: number; body: object }> {
  const [method = '', path = ''] = what.split(' ')
  const headers = protocol === undefined ? {} : { 'holdfast-protocol': protocol }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: join(directory, 'door.sock'), method, path, headers },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as object }),
        )
      },
    )
    outgoing.on('error', reject).end()
  })
}

test('answers whose version is at most one away, and says its own to anybody', async () => {
  for (const protocol of [undefined, '0', '1', '2'])
    expect(await ask('GET /events', protocol)).toEqual({ status: 200, body: { events: [] } })
  expect(await ask('GET /status', '77')).toMatchObject({ status: 200, body: { protocol: 1, pid: 1 } })
})

test('refuses others with words, but for what ends it', async () => {
  for (const protocol of ['3', '-1', 'x'])
    for (const what of ['GET /events', 'POST /replicas/web/1/restart', 'POST /discard'])
      expect(await ask(what, protocol)).toMatchObject({
        status: 503,
        body: { code: 'house.versions-apart' },
      })
  expect(done).toEqual([])
  expect(await ask('POST /stop', '3')).toMatchObject({ status: 202 })
  expect(done).toEqual(['stop'])
})
