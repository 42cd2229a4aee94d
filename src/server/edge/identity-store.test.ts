import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemRandom } from '../../kernel/std/index.ts'
import { openIdentityStore } from './identity-store.ts'

let directory: string
let said: string[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'identity-store-'))
  said = []
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

const open = (variables: Record<string, string> = {}) =>
  openIdentityStore({
    dataDirectory: directory,
    random: systemRandom,
    variables,
    say: (message) => said.push(message),
  })

test('the key of passports stays the same, for its owner alone', () => {
  const { passportKey } = open()
  expect(passportKey).toHaveLength(32)
  expect(open().passportKey).toEqual(passportKey)
  expect(statSync(join(directory, 'edge', 'passport.key')).mode & 0o777).toBe(0o600)
  expect(said).toEqual([])
})

test('a key that is damaged is made anew', () => {
  const { passportKey } = open()
  writeFileSync(join(directory, 'edge', 'passport.key'), 'short')
  const fresh = open().passportKey
  expect(fresh).toHaveLength(32)
  expect(fresh).not.toEqual(passportKey)
})

test('what was fetched is there for the next process, of the same address only', () => {
  open().remember('https://login.example/keys', '{"keys":[]}')
  expect(open().remembered('https://login.example/keys')).toBe('{"keys":[]}')
  expect(open().remembered('https://other.example/keys')).toBeNull()
  writeFileSync(join(directory, 'edge', 'public-keys.json'), '{"addr')
  expect(open().remembered('https://login.example/keys')).toBeNull()
})

test('files are bounded, variables are those of the process', async () => {
  const file = join(directory, 'keys.json')
  writeFileSync(file, '{}')
  const store = open({ SECRET: 's' })
  expect(await store.read(file)).toBe('{}')
  writeFileSync(file, ' '.repeat(2 ** 20 + 1))
  await expect(store.read(file)).rejects.toThrow('1 MiB')
  expect([store.variable('SECRET'), store.variable('NONE')]).toEqual(['s', undefined])
})

test('what is fetched is bounded, comes from where it was asked for, and is an answer of class 2xx', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/keys') response.end('{"keys":[]}')
    else if (request.url === '/large') response.end(' '.repeat(2 ** 20 + 1))
    else if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end()
    else response.writeHead(503).end('{"keys":[]}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const fetchAt = (path: string): Promise<string> =>
    open().fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
  try {
    expect(await fetchAt('/keys')).toBe('{"keys":[]}')
    await expect(fetchAt('/large')).rejects.toThrow('1 MiB')
    await expect(fetchAt('/moved')).rejects.toThrow()
    await expect(fetchAt('/ill')).rejects.toThrow('it answers 503')
  } finally {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
})
