import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requestOverSocket, type SocketRequest } from './index.ts'

let directory = ''
let server: Server | null = null
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-unix-'))
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = null
  rmSync(directory, { recursive: true })
})

const listen = (listener: RequestListener): Promise<void> =>
  new Promise((resolve) => {
    server = createServer(listener).listen(join(directory, 's'), resolve)
  })

const request = (more: Partial<SocketRequest> = {}): SocketRequest => ({
  socketPath: join(directory, 's'),
  method: 'GET',
  path: '/x',
  timeoutMs: 2000,
  mostBytes: 100,
  unreachable: { code: 'supervisor.unreachable', message: 'nobody answers' },
  ...more,
})

test('sends and reads JSON', async () => {
  await listen((incoming, response) => {
    let text = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    incoming.on('end', () => response.writeHead(201).end(JSON.stringify({ got: text, at: incoming.url })))
  })
  const answer = await requestOverSocket(request({ method: 'PUT', body: { a: 1 } }))
  expect(answer).toEqual({ status: 201, body: { got: '{"a":1}', at: '/x' } })
})

test('an empty body is undefined', async () => {
  await listen((_, response) => response.writeHead(204).end())
  expect(await requestOverSocket(request())).toEqual({ status: 204, body: undefined })
})

const unreachable = { code: 'supervisor.unreachable', kind: 'operational', message: 'nobody answers' }

test('nobody there, silence, nonsense and an endless answer are all the caller’s error', async () => {
  await expect(requestOverSocket(request())).rejects.toMatchObject(unreachable)
  await listen(({ url }, response) => {
    if (url === '/nonsense') response.end('<html>')
    if (url === '/long') response.end(`"${'x'.repeat(200)}"`)
    if (url === '/cut') response.destroy()
  })
  for (const path of ['/nonsense', '/long', '/cut']) {
    await expect(requestOverSocket(request({ path }))).rejects.toMatchObject(unreachable)
  }
  await expect(requestOverSocket(request({ path: '/silence', timeoutMs: 50 }))).rejects.toMatchObject(
    unreachable,
  )
})

test("the caller's signal ends it with the caller's reason", async () => {
  await listen(() => undefined)
  const gone = new AbortController()
  const answer = requestOverSocket(request({ signal: gone.signal }))
  gone.abort(new Error('enough'))
  await expect(answer).rejects.toThrow('enough')
})
