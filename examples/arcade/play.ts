import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { Refusal, type Account } from './http.ts'

const mostPlayers = 200
const mostCharacters = 280

interface Fish {
  readonly id: number
  readonly name: string
  x: number
  y: number
  alive: boolean
}

/** Says something in the chat for a player; throws a refusal when it must not be said. */
type Say = (from: Account, text: string) => Promise<unknown>

/**
 * The tank: everybody who has the page open swims in it. A WebSocket at /play; each copy of the service has its own
 * tank. A player who is signed in can chat there, too: `{"say": "hello"}`.
 */
export function createTank(say: Say) {
  const server = new WebSocketServer({ noServer: true, maxPayload: 2048, perMessageDeflate: false })
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

  const enter = (socket: WebSocket, account: Account | undefined): void => {
    const name = account?.handle ?? `guest ${lastId + 1}`
    const fish: Fish = { id: ++lastId, name, x: 0.5, y: 0.5, alive: true }
    tank.set(socket, fish)
    socket.send(JSON.stringify({ you: fish.id }))
    const answer = (value: object): void => socket.send(JSON.stringify(value))
    socket.on('message', (data) => {
      const { say: text, ...place } = readMessage(textOf(data))
      fish.alive = true
      if (typeof text === 'string') void sayFor(say, account, text).then(answer)
      else swim(fish, place)
    })
    socket.on('pong', () => (fish.alive = true))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => tank.delete(socket))
  }

  return {
    /** Takes over a connection that asked for an upgrade. */
    upgrade: (
      request: IncomingMessage,
      socket: Duplex,
      visitor: { account: Account | undefined; head: Buffer },
    ): void => {
      if (tank.size >= mostPlayers) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, visitor.head, (player) => enter(player, visitor.account))
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

/** What a player sent; whatever is no JSON object says nothing. */
function readMessage(text: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(text) as Record<string, unknown>) }
  } catch {
    return {}
  }
}

/** Moves a fish to where its player says: `{"x": 0..1, "y": 0..1}`; whatever else is ignored. */
function swim(fish: Fish, { x, y }: Record<string, unknown>): void {
  if (isShare(x) && isShare(y)) Object.assign(fish, { x, y })
}

/** Chats for a player, and answers with `{"said": true}`, or with what a request by HTTP would be answered. */
async function sayFor(say: Say, account: Account | undefined, text: string): Promise<object> {
  if (account === undefined) return { said: false, status: 401, error: 'sign in first, please' }
  try {
    await say(account, text.trim().slice(0, mostCharacters))
    return { said: true }
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error)
    const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'something broke, sorry')
    return { said: false, status, error: message }
  }
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}
