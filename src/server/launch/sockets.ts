import { createServer, type Server } from 'node:net'
import { HoldfastError, systemCode } from '../../kernel/std/index.ts'

/** A place to listen, and the key of the environment file and the flag that move it. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly flag: string
}

/** A socket that listens and is to be handed on; close it once a child has inherited the descriptor. */
export interface OpenSocket {
  readonly descriptor: number
  close(): void
}

function sayWhere({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function explain(error: unknown, place: Place): HoldfastError {
  const where = sayWhere(place)
  const code = systemCode(error)
  if (code === 'EADDRINUSE') {
    return new HoldfastError({
      code: 'supervisor.port-in-use',
      kind: 'user',
      message: `${place.path}: another program listens on ${where}`,
      path: place.path,
      hint: `end it, or choose another port with ${place.flag}`,
      cause: error,
    })
  }
  const denied = code === 'EACCES'
  return new HoldfastError({
    code: 'supervisor.cannot-listen',
    kind: 'operational',
    message: `${place.path}: cannot listen on ${where}: ${denied ? 'ports below 1024 need permission' : code}`,
    path: place.path,
    hint: denied
      ? 'start as root, or allow it with sysctl net.ipv4.ip_unprivileged_port_start'
      : 'is this an address of this machine?',
    cause: error,
  })
}

/** The descriptor below a listening server: what Node has no public name for, kept in this one place. */
function descriptorOf(server: Server): number {
  const handle = (server as unknown as { _handle?: { fd?: number } })._handle
  if (handle?.fd === undefined || handle.fd < 0) {
    throw new HoldfastError({
      code: 'kernel.assertion-failed',
      kind: 'bug',
      message: 'this version of Node does not show the descriptor of a listening socket',
    })
  }
  return handle.fd
}

/** Opens one listening socket, exclusively. Errors: `supervisor.port-in-use`, `supervisor.cannot-listen`. */
export function openSocket(place: Place): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    // Node accepts as soon as it listens. A client that comes before the edge does is told so by a reset.
    const server = createServer((socket) => socket.resetAndDestroy())
    server.once('error', (error) => reject(explain(error, place)))
    server.listen({ host: place.host, port: place.port, exclusive: true, backlog: 4096 }, () => {
      resolve({ descriptor: descriptorOf(server), close: () => void server.close() })
    })
  })
}

/** Of two places of ours with one port, the first is in the way of the second. */
function refuseTwins(places: readonly Place[]): void {
  for (const [index, place] of places.entries()) {
    const twin = places.slice(0, index).find(({ host, port }) => host === place.host && port === place.port)
    if (twin === undefined) continue
    throw new HoldfastError({
      code: 'supervisor.port-in-use',
      kind: 'user',
      message: `${place.path}: ${twin.path} listens on ${sayWhere(place)} already`,
      path: place.path,
      hint: `choose another port with ${place.flag}`,
    })
  }
}

/** Opens all of them or none. Errors: those of `openSocket`. */
export async function openSockets(places: readonly Place[]): Promise<readonly OpenSocket[]> {
  refuseTwins(places)
  const opened: OpenSocket[] = []
  try {
    for (const place of places) opened.push(await openSocket(place))
    return opened
  } catch (error) {
    for (const socket of opened) socket.close()
    throw error
  }
}
