import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'

const mostPlayers = 200

interface Fish {
  readonly id: number
  readonly name: string
  x: number
  y: number
  alive: boolean
}

/** The tank: everybody who has the page open swims in it. A WebSocket at /play; each copy of the service has its own tank. */
export function createTank() {
  const server = new WebSocketServer({ noServer: true, maxPayload: 256, perMessageDeflate: false })
  const tank = new Map<WebSocket, Fish>()
  let lastId = 0

  const show = (): void => {
    if (tank.size === 0) return
    const text = JSON.stringify({
      fish: [...tank.values()].map(({ id, name, x, y }) => ({ id, name, x, y })),
    })
    for (const socket of tank.keys()) {
      // Positions are worth nothing when they are late: whoever reads slowly misses some.
      if (socket.bufferedAmount < 32 * 1024) socket.send(text)
    }
  }
  const checkPulse = (): void => {
    for (const [socket, fish] of tank) {
      if (!fish.alive) socket.terminate()
      fish.alive = false
      socket.ping()
    }
  }
  const timers = [setInterval(show, 200), setInterval(checkPulse, 20_000)]

  const enter = (socket: WebSocket, name: string): void => {
    const fish: Fish = { id: ++lastId, name, x: 0.5, y: 0.5, alive: true }
    tank.set(socket, fish)
    socket.send(JSON.stringify({ you: fish.id }))
    socket.on('message', (data) => swim(fish, textOf(data)))
    socket.on('pong', () => (fish.alive = true))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => tank.delete(socket))
  }

  return {
    /** Takes over a connection that asked for an upgrade. */
    upgrade: (
      request: IncomingMessage,
      socket: Duplex,
      visitor: { name: string | undefined; head: Buffer },
    ): void => {
      if (tank.size >= mostPlayers) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, visitor.head, (player) =>
        enter(player, visitor.name ?? `guest ${lastId + 1}`),
      )
    },
    stop: (): void => {
      for (const timer of timers) clearInterval(timer)
      for (const socket of tank.keys()) socket.close(1001, 'the server is going away')
      // A client that does not answer the close must not hold the door open.
      setTimeout(() => [...tank.keys()].forEach((socket) => socket.terminate()), 1000).unref()
    },
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('utf8')
}

/** Moves a fish to where its player says: `{"x": 0..1, "y": 0..1}`; whatever else is ignored. */
function swim(fish: Fish, text: string): void {
  fish.alive = true
  try {
    const { x, y } = JSON.parse(text) as { x?: unknown; y?: unknown }
    if (isShare(x) && isShare(y)) Object.assign(fish, { x, y })
  } catch {
    // No JSON: a fish that says nothing stays where it is.
  }
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}
