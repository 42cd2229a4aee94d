import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { openSocket, openSockets, type OpenSocket, type Place } from './sockets.ts'

const isRoot = process.getuid?.() === 0
const servers: Server[] = []
const opened: OpenSocket[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const socket of opened.splice(0)) socket.close()
})

/** Listens as another program would. */
async function occupy(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve)
  })
  return (server.address() as AddressInfo).port
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const port = await occupy()
  await new Promise((resolve) => servers.pop()?.close(resolve))
  return port
}

function place(port: number, change: Partial<Place> = {}): Place {
  return { host: '127.0.0.1', port, path: 'edge.listen.0.port', flag: '--edge-port', ...change }
}

const control = { path: 'control.port', flag: '--control-port' }

async function open(places: readonly Place[]): Promise<readonly OpenSocket[]> {
  const sockets = await openSockets(places)
  opened.push(...sockets)
  return sockets
}

/** What comes of connecting: the system's code. */
function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.on('end', () => resolve('end'))
    socket.resume()
  })
}

describe('taking the ports', () => {
  test('each gets a descriptor of its own and listens until it is closed', async () => {
    const ports = [await freePort(), await freePort()]
    const sockets = await open(ports.map((port) => place(port)))
    const descriptors = sockets.map(({ descriptor }) => descriptor)
    expect(new Set(descriptors).size).toBe(2)
    for (const port of ports) expect(await reach(port)).toBe('ECONNRESET')
    for (const socket of opened.splice(0)) socket.close()
    for (const port of ports) expect(await reach(port)).toBe('ECONNREFUSED')
  })

  test('a client that comes before anybody serves is not left waiting', async () => {
    const port = await freePort()
    await open([place(port)])
    expect(await reach(port)).toBe('ECONNRESET')
  })

  test('a port in use names the key, the address and the flag', async () => {
    const port = await occupy()
    await expect(open([place(port)])).rejects.toMatchObject({
      code: 'supervisor.port-in-use',
      kind: 'user',
      path: 'edge.listen.0.port',
      message: `edge.listen.0.port: another program listens on 127.0.0.1:${port}`,
      hint: expect.stringContaining('--edge-port') as string,
    })
    await expect(open([place(port, control)])).rejects.toMatchObject({
      path: 'control.port',
      hint: expect.stringContaining('--control-port') as string,
    })
  })

  test('all of them or none', async () => {
    const [free, taken] = [await freePort(), await occupy()]
    await expect(open([place(free), place(taken, control)])).rejects.toMatchObject({ path: 'control.port' })
    expect(await reach(free)).toBe('ECONNREFUSED')
    await open([place(free)])
  })

  test('two places of ours on one port: the keys of both are named, nothing is opened', async () => {
    const port = await freePort()
    await expect(open([place(port), place(port, control)])).rejects.toMatchObject({
      code: 'supervisor.port-in-use',
      path: 'control.port',
      message: `control.port: edge.listen.0.port listens on 127.0.0.1:${port} already`,
    })
    expect(await reach(port)).toBe('ECONNREFUSED')
  })

  test('an address that is not of this machine', async () => {
    await expect(openSocket(place(await freePort(), { host: '192.0.2.1' }))).rejects.toMatchObject({
      code: 'supervisor.cannot-listen',
      message: expect.stringContaining('192.0.2.1') as string,
      hint: 'is this an address of this machine?',
    })
  })

  test.skipIf(isRoot || unprivilegedFrom() <= 1)('a port below 1024 (skipped as root, who may)', async () => {
    await expect(openSocket(place(1))).rejects.toMatchObject({
      code: 'supervisor.cannot-listen',
      message: expect.stringContaining('need permission') as string,
    })
  })
})

/** The first port that anybody may take. */
function unprivilegedFrom(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  } catch {
    return 1024
  }
}
