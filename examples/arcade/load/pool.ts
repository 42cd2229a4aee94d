import { WebSocket } from 'ws'
import type { Tally } from './tally.ts'

/** Where a fish comes from, and who is to hear how it fares. */
export interface PoolOptions {
  readonly url: URL
  readonly from: { localAddress?: string; family?: number; headers?: Record<string, string> }
  readonly tally: Tally
  readonly signal: AbortSignal
}

/** A fish in the pool. */
export interface Fish {
  /** Sends where it is; false when it is out of the pool. */
  move(x: number, y: number): boolean
  /** Says something in the chat; resolves when it is answered, or to false when it cannot be. */
  say(text: string): Promise<boolean>
}

const answerTimeoutMs = 10_000
/** What the edge closes a WebSocket with whose messages are too many (RFC 6455, 7.4.1). */
const tooMany = 1008

/** Enters the pool and stays until the end, or until it is thrown out. */
export function enterPool({ url, from, tally, signal }: PoolOptions): Fish {
  const socket = new WebSocket(new URL('/play', url.href.replace(/^http/, 'ws')), from)
  const waiting: ((status: number) => void)[] = []
  const leave = (): void => socket.terminate()
  signal.addEventListener('abort', leave)
  socket.on('message', (data: Buffer) => {
    tally.countEvent()
    const { said, status = 201 } = JSON.parse(data.toString('utf8')) as { said?: boolean; status?: number }
    if (said !== undefined) waiting.shift()?.(status)
  })
  socket.on('error', () => undefined)
  socket.on('close', (code) => {
    signal.removeEventListener('abort', leave)
    if (code === tooMany) tally.count('pool', 429, 0)
    for (const answer of waiting.splice(0)) answer(0)
  })
  const isOpen = (): boolean => socket.readyState === WebSocket.OPEN

  return {
    move: (x, y) => {
      if (!isOpen()) return socket.readyState === WebSocket.CONNECTING
      socket.send(JSON.stringify({ x, y }))
      tally.count('pool', 200, 0)
      return true
    },
    say: async (text) => {
      if (!isOpen()) return false
      const startedAt = performance.now()
      const status = await new Promise<number>((resolve) => {
        waiting.push(resolve)
        setTimeout(resolve, answerTimeoutMs, 0).unref()
        socket.send(JSON.stringify({ say: text }))
      })
      if (!signal.aborted) tally.count('chat by WebSocket', status, performance.now() - startedAt)
      return true
    },
  }
}
