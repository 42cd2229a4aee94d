import { request, type IncomingMessage } from 'node:http'
import { houseProtocol, protocolHeader } from '../../contracts/socket-door.ts'
import { HoldfastError, type PlainError } from '../../kernel/std/index.ts'

/** A request to a process of the house that listens on a unix socket: HTTP/1.1 with JSON bodies. */
export interface SocketRequest {
  readonly socketPath: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path with query, as `/events?after=3`. */
  readonly path: string
  /** Sent as JSON; undefined: no body. */
  readonly body?: unknown
  /** For the whole exchange, milliseconds. */
  readonly timeoutMs: number
  /** Longest answer that is taken, bytes. */
  readonly mostBytes: number
  readonly signal?: AbortSignal | undefined
  /** What an answer that never came is called, as `supervisor.unreachable`; `message` says who did not answer. */
  readonly unreachable: Pick<PlainError, 'code' | 'message' | 'hint'>
}

/** What came back. */
export interface SocketAnswer {
  /** HTTP status. */
  readonly status: number
  /** Parsed JSON; undefined for an empty body. To be checked by the caller. */
  readonly body: unknown
}

/**
 * Sends a request and reads the whole answer. Rejects with the caller's error when there is no answer in time, one too
 * long, or one that is no JSON; with the signal's reason when it aborts.
 */
export function requestOverSocket(parts: SocketRequest): Promise<SocketAnswer> {
  const text = parts.body === undefined ? undefined : JSON.stringify(parts.body)
  const deadline = AbortSignal.timeout(parts.timeoutMs)
  const signal = parts.signal === undefined ? deadline : AbortSignal.any([deadline, parts.signal])
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      if (parts.signal?.aborted === true) reject(parts.signal.reason as Error)
      else reject(new HoldfastError({ ...parts.unreachable, kind: 'operational', cause }))
    }
    const { socketPath, method, path } = parts
    const spoken = { [protocolHeader]: String(houseProtocol) }
    const headers = text === undefined ? spoken : { ...spoken, 'content-type': 'application/json' }
    const outgoing = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      readAnswer(response, parts.mostBytes).then(resolve, (error: unknown) => {
        outgoing.destroy()
        fail(error)
      })
    })
    outgoing.once('error', fail)
    outgoing.end(text)
  })
}

async function readAnswer(response: IncomingMessage, mostBytes: number): Promise<SocketAnswer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  return { status: response.statusCode ?? 0, body }
}
