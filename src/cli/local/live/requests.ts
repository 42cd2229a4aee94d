import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { systemCode } from '../../../kernel/std/index.ts'
import type { Answered } from './observed.ts'

const host = '127.0.0.1'

function sayFailure(error: Error): string {
  const code = systemCode(error)
  if (code === 'ECONNREFUSED') return 'the connection was refused'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection was cut'
  return error.name === 'TimeoutError' ? 'no answer came in time' : (code ?? error.message)
}

/** A request on a connection of its own; never rejects. */
export function ask(port: number, path: string, timeoutMs: number): Promise<Answered> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'holdfast-check', connection: 'close' }
    const outgoing = request(
      { host, port, path, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (answer) => {
        answer.on('error', () => undefined)
        answer.resume()
        answer.once('data', () => outgoing.destroy())
        resolve({ status: answer.statusCode ?? 0 })
      },
    )
    outgoing.on('error', (error) => {
      const cause = error.cause instanceof Error ? error.cause : error
      resolve({ failed: sayFailure(error.name === 'AbortError' ? cause : error) })
    })
    outgoing.end()
  })
}

function open(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('error', () => resolve(null))
    socket.once('connect', () => resolve(socket))
  })
}

/** Whether connections are accepted. */
export async function accepts(port: number): Promise<boolean> {
  const socket = await open(port)
  socket?.destroy()
  return socket !== null
}

const headOf = (port: number, path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUser-Agent: holdfast-check\r\n`

/** What comes back on a connection; never rejects. */
function answerOn(socket: Socket): Promise<Answered> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(0, 4096)
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]
      if (status !== undefined) resolve({ status: Number(status) })
    })
    socket.on('timeout', () => resolve({ failed: 'no answer came in time' }))
    socket.on('error', (error) => resolve({ failed: sayFailure(error) }))
    socket.on('close', () => resolve({ failed: 'the connection was closed without an answer' }))
  })
}

/** A request of which half is sent. */
export interface HeldRequest {
  /** Sends the rest of it and waits for the answer; never rejects. */
  finish(timeoutMs: number): Promise<Answered>
}

/** Begins a request and sends half of its head: in flight, and nobody can have answered it yet. Null: no connection. */
export async function holdRequest(port: number, path: string): Promise<HeldRequest | null> {
  const socket = await open(port)
  if (socket === null) return null
  socket.write(headOf(port, path))
  // Whatever comes, also before the rest is sent, is what became of it.
  const answered = answerOn(socket)
  return {
    finish: (timeoutMs) => {
      socket.setTimeout(timeoutMs)
      if (socket.writable) socket.write('Connection: close\r\n\r\n')
      return answered.finally(() => socket.destroy())
    },
  }
}

/** A connection as a proxy keeps it, on which a request was answered and nothing happens; answers what closes it. */
export async function idleConnection(port: number, path: string, timeoutMs: number): Promise<() => void> {
  const socket = await open(port)
  if (socket === null) return () => undefined
  socket.setTimeout(timeoutMs)
  socket.write(`${headOf(port, path)}Connection: keep-alive\r\n\r\n`)
  await answerOn(socket)
  return () => socket.destroy()
}
