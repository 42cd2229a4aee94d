import { createServer, type Server } from 'node:http'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { httpProbe } from './index.ts'

let server: Server
let origin: string
const prober = httpProbe()

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return
    if (request.url === '/endless') return void response.write('x')
    response.writeHead(Number(request.url?.slice(1)) || 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.close()
  server.closeAllConnections()
})

test.each([
  ['/200', true, ''],
  ['/302', true, ''],
  ['/404', false, 'answered 404'],
  ['/500', false, 'answered 500'],
  ['/slow', false, 'did not answer within 0.3 s'],
  ['/endless', true, ''],
])('%s: %s', async (...[path, healthy, detail]) => {
  expect(await prober.probe(origin, path, 300)).toEqual({ healthy, detail })
})

test('without a path a connection is enough', async () => {
  expect(await prober.probe(origin, null, 300)).toEqual({ healthy: true, detail: '' })
})

test('nobody there', async () => {
  const gone = createNetServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  for (const path of [null, '/']) {
    const result = await prober.probe(`http://127.0.0.1:${port}`, path, 300)
    expect(result).toEqual({ healthy: false, detail: 'refuses connections' })
  }
})

test('what is no address is no crash', async () => {
  expect((await prober.probe('nonsense', '/', 300)).healthy).toBe(false)
})
