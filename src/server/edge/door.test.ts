import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EdgeState } from '../../contracts/edge-policy.ts'
import { openDoor, type Door } from './door.ts'

const state: EdgeState = { edgeId: 'e', pid: 1, threads: 1, startedAt: 1, revision: null, notes: [] }

let directory = ''
let door: Door
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-edge-door-'))
  door = await openDoor(join(directory, 'door.sock'), {
    state: () => state,
    policies: () => ({ enforced: null, kept: null }),
    apply: () => Promise.resolve(state),
    reports: () => Promise.resolve({ edgeId: 'e', reports: [] }),
  })
})
afterEach(() => {
  door.close()
  rmSync(directory, { recursive: true })
})

function ask(path: string, protocol: string): Promise<object> {
  const headers = { 'holdfast-protocol': protocol }
  return new Promise((resolve, reject) => {
    request({ socketPath: join(directory, 'door.sock'), path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text) as object))
    })
      .on('error', reject)
      .end()
  })
}

test('says its version to anybody, and works with who is at most one away', async () => {
  expect(await ask('/state', '9')).toEqual({ ...state, protocol: 1 })
  expect(await ask('/policies', '2')).toEqual({ enforced: null, kept: null })
  expect(await ask('/policies', '3')).toMatchObject({ code: 'house.versions-apart' })
})
