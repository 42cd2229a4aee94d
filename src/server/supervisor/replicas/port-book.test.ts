import { createServer, type AddressInfo, type Server } from 'node:net'
import { expect, test } from 'vitest'
import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { createPortBook } from './port-book.ts'

const spec = (id: string, port: ReplicaSpec['port']): ReplicaSpec => ({
  id,
  service: 'web',
  command: ['x'],
  directory: '/',
  variables: {},
  port,
  release: '',
  restarts: true,
  stopTimeoutMs: 0,
  mayExpose: false,
  memoryMiB: null,
  cpus: null,
})

const assigned = (id: string): ReplicaSpec => spec(id, { assigned: true })
const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server: Server = createServer().once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

test('many at once get a port each, and keep it', async () => {
  const book = createPortBook('test', {})
  const ids = Array.from({ length: 20 }, (_, index) => `web/${index}`)
  const given = await Promise.all(ids.map((id) => book.give(assigned(id))))
  const ports = given.map(({ port }) => port)
  expect(new Set(ports).size).toBe(20)
  expect(ports.every((port) => port !== null && port >= 20_000 && port < 32_768)).toBe(true)
  expect((await book.give(assigned('web/3'))).port).toBe(ports[3])
  expect(createPortBook('test', book.assigned()).assigned()).toEqual(book.assigned())
})

test('a port that a stranger has taken is given up, and that is told', async () => {
  const stranger = await listen(0)
  const { port } = stranger.address() as AddressInfo
  const book = createPortBook('test', { 'web/1': port })
  const given = await book.give(assigned('web/1'))
  expect(given.takenPort).toBe(port)
  expect(given.port).not.toBe(port)
  expect(book.assigned()).toEqual({ 'web/1': given.port })
  await new Promise((resolve) => stranger.close(resolve))
})

test('fixed ports are as they are, and assigned ones keep off them; dropped slots give theirs back', async () => {
  const book = createPortBook('test', {})
  const first = (await book.give(assigned('web/1'))).port ?? 0
  const again = createPortBook('test', {})
  again.keepOnly([spec('other/1', { fixed: first })])
  expect((await again.give(assigned('web/1'))).port).not.toBe(first)
  expect(await again.give(spec('other/1', { fixed: first }))).toEqual({ port: first, takenPort: null })
  expect(await again.give(spec('quiet/1', null))).toEqual({ port: null, takenPort: null })
  again.keepOnly([])
  expect(again.assigned()).toEqual({})
})
