import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createMetrics, openDoors } from '../server/control/index.ts'
import { testHouse } from '../../test/support/control/house.ts'
import { ClientError, createClient, type Client } from './index.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function control(): Promise<Client & { readonly seen: readonly string[] }> {
  const token = 'r'.repeat(43)
  const { house, seen } = await testHouse({ rootToken: token })
  const settings = { host: '127.0.0.1', port: 0 }
  const metrics = createMetrics(() => [])
  const doors = await openDoors({ house, metrics, version: '0', settings, consoleDirectory: '/nowhere' })
  closing.push(async () => {
    await doors.close()
    await house.stop()
  })
  return { ...createClient({ url: doors.url, token }), seen }
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void

/** A control that answers as the test says. */
async function fake(...handles: Handle[]): Promise<{ client: Client; calls: () => number; server: Server }> {
  let calls = 0
  const server = createServer((request, response) => {
    request.resume()
    handles[Math.min(calls++, handles.length - 1)]?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { client: createClient({ url, token: 't' }), calls: () => calls, server }
}

const json =
  (body: unknown, status = 200): Handle =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const reset: Handle = (request) => void request.socket.destroy()
const job = {
  id: 'j',
  operation: 'environment.restart',
  actor: 'root',
  state: 'running',
  requestedAt: 1,
  endedAt: null,
  share: 0,
  says: '',
  attempts: 1,
  result: null,
  error: null,
}
const ended = { ...job, state: 'done', endedAt: 2, share: 1, result: { restarted: ['web/1'] } }

describe('a client of a real control', () => {
  test('calls values', async () => {
    const client = await control()
    expect(await client.call('access.whoami', {})).toEqual({ actor: 'root', role: 'administer' })
  })

  test('throws what control says', async () => {
    const client = await control()
    const error = await client.call('jobs.get', { job: 'none' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ code: 'jobs.unknown', kind: 'user', status: 404, path: 'job' })
    expect((error as ClientError).hint).toContain('holdfast jobs')
  })

  test('streams, and ends the source when the loop is left', async () => {
    const client = await control()
    const answer = await client.any('test.count', { to: 1_000_000 })
    if (answer.kind !== 'stream') throw new Error('no stream')
    for await (const item of answer.items) if ((item as { number: number }).number === 3) break
    for (let tries = 0; tries < 200 && !client.seen.includes('count ended'); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(client.seen).toContain('count ended')
  })

  test('ends a stream quietly with its signal', async () => {
    const client = await control()
    await client.call('access.create-token', { name: 'ci' })
    const gone = new AbortController()
    const seen: string[] = []
    for await (const { kind } of client.stream('timeline.follow', { after: 0 }, gone.signal)) {
      seen.push(kind)
      gone.abort()
    }
    expect(seen).toEqual(['access.token-created'])
  })

  test('throws when a stream fails midway', async () => {
    const client = await control()
    const answer = await client.any('test.count', { to: 30, failAt: 20 })
    if (answer.kind !== 'stream') throw new Error('no stream')
    const read = async (): Promise<void> => {
      for await (const _ of answer.items) void _
    }
    await expect(read()).rejects.toMatchObject({ code: 'kernel.unexpected', kind: 'bug' })
  })

  test('waits for a job with its progress', async () => {
    const client = await control()
    const seen: string[] = []
    const onProgress = ({ state }: { state: string }): void => void seen.push(state)
    const found = await client.job('timeline.verify', {}, { onProgress })
    expect(found).toMatchObject({ broken: null })
    expect(seen.at(-1)).toBe('done')
    await expect(client.job('timeline.verify', { anchor: 'rubbish' })).rejects.toMatchObject({
      code: 'operations.invalid-input',
    })
  })
})

describe('a client of a control that is restarting', () => {
  test('asks again for what only reads', async () => {
    const { client, calls } = await fake(reset, reset, json({ head: null }))
    expect(await client.call('timeline.head', {})).toEqual({ head: null })
    expect(calls()).toBe(3)
  })

  test('asks again when control says that it stops', async () => {
    const stopping = json({ code: 'control.stopping', kind: 'operational', detail: 'stops' }, 503)
    const { client, calls } = await fake(stopping, json({ head: null }))
    expect(await client.call('timeline.head', {})).toEqual({ head: null })
    expect(calls()).toBe(2)
  })

  test('does not ask again for what changes something', async () => {
    const { client, calls } = await fake(reset, json({ erased: true }))
    await expect(client.call('timeline.erase', { sequence: 1, because: 'test' })).rejects.toMatchObject({
      code: 'control.unreachable',
      status: 0,
    })
    expect(calls()).toBe(1)
  })

  test('asks for a job again with the same key, and follows it through a lost connection', async () => {
    const keys: unknown[] = []
    const keyed =
      (handle: Handle): Handle =>
      (request, response) => {
        keys.push(request.headers['idempotency-key'])
        handle(request, response)
      }
    const broken: Handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      response.write(`\n${JSON.stringify({ ...job, share: 0.5 })}\n`, () => response.destroy())
    }
    const whole: Handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      const text = `\n${JSON.stringify(ended)}\n`
      response.write(text.slice(0, 30))
      setTimeout(() => response.end(text.slice(30)), 20)
    }
    const { client } = await fake(keyed(reset), keyed(json(job, 202)), broken, reset, whole)
    const shares: number[] = []
    const result = await client.job(
      'environment.restart',
      { service: 'web' },
      { onProgress: ({ share }) => shares.push(share) },
    )
    expect(result).toEqual({ restarted: ['web/1'] })
    expect(shares).toEqual([0, 0.5, 1])
    expect(keys[0]).toEqual(expect.any(String))
    expect(keys[1]).toBe(keys[0])
  })

  test('says that nobody is there', async () => {
    const { client, server } = await fake(reset)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(client.call('access.whoami', {})).rejects.toMatchObject({
      code: 'control.unreachable',
      hint: 'is it running? start it with "holdfast up"',
    })
  })
})

describe('a client of a stranger', () => {
  test('gives up on a page that is no control', async () => {
    const page: Handle = (_, response) => void response.writeHead(404).end('<h1>Not here</h1>')
    const { client } = await fake(page)
    await expect(client.call('access.whoami', {})).rejects.toMatchObject({
      code: 'control.unreachable',
      status: 404,
    })
  })

  test('does not buffer a line without an end', async () => {
    const endless: Handle = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      const more = (): void => void response.write('x'.repeat(1_000_000), () => setImmediate(more))
      more()
    }
    const { client } = await fake(endless)
    const read = async (): Promise<void> => {
      for await (const _ of client.stream('timeline.follow', {})) void _
    }
    await expect(read()).rejects.toThrow('lines without an end')
  })

  test('gives up after its time', async () => {
    const { server } = await fake(() => undefined)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createClient({ url, timeoutMs: 50 })
    await expect(client.call('access.create-token', { name: 'ci' })).rejects.toMatchObject({
      code: 'control.unreachable',
    })
  })

  test('reads the wait from Retry-After', async () => {
    const refused: Handle = (_, response) =>
      void response
        .writeHead(429, { 'retry-after': '7', 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ code: 'limit.refused', kind: 'user', detail: 'too many' }))
    const { client } = await fake(refused)
    await expect(client.call('access.create-token', { name: 'ci' })).rejects.toMatchObject({
      code: 'limit.refused',
      retryAfterMs: 7000,
    })
  })
})

test('the client has no dependency at run time', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  const imports = sources.flatMap((text) => text.match(/^import .* from '.*'$/gm) ?? [])
  const outside = imports.filter((line) => !line.includes("from './") && !line.startsWith('import type'))
  expect(imports.length).toBeGreaterThan(2)
  expect(outside).toEqual([])
})
