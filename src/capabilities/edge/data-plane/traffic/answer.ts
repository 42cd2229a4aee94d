import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Random } from '../../../../kernel/std/index.ts'
import { formFor, render, type Refusal } from '../../pipeline/index.ts'

/** How a refusal is to be delivered. */
export interface Delivery {
  readonly refusal: Refusal
  readonly accept: string
  /** End the connection afterwards. */
  readonly close: boolean
  /** A body is on its way that will not be read: the connection is ended, but not before the client could read. */
  readonly hasLargeBody: boolean
}

const lingerMs = 1000
const lingerBytes = 2 ** 20

const lingering = new WeakSet<ServerResponse>()

/** Whether the answer is complete and only the end of the connection is being put off. */
export function isLingering(response: ServerResponse): boolean {
  return lingering.has(response)
}

/** Sends a refusal. */
export function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  delivery: Delivery & { readonly ground: { readonly clock: Clock; readonly random: Random } },
): void {
  const { refusal, accept, hasLargeBody, ground } = delivery
  const isUnread = hasLargeBody && !request.complete
  const said = render(refusal, formFor(accept), requestId(ground.random))
  const { fields, body, encoding } = said
  fields.push('content-length', String(said.sizeBytes))
  if (delivery.close || isUnread) fields.push('connection', 'close')
  response.writeHead(refusal.status, fields)
  const text = request.method === 'HEAD' ? '' : body
  if (isUnread) linger(request, response, { text, clock: ground.clock })
  else response.end(text, encoding)
}

const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
const idLength = 8

/** Short enough to be read out to somebody. Digit by digit: the way of numbers costs more than all the rest of a refusal. */
function requestId(random: Random): string {
  let rest = Math.floor(random.next() * 36 ** idLength)
  let text = ''
  for (let digit = 0; digit < idLength; digit++) {
    const next = Math.floor(rest / 36)
    text += digits.charAt(rest - 36 * next)
    rest = next
  }
  return text
}

/**
 * Ends a connection on which a body is still arriving: an end at once would send a reset, which throws the answer away
 * that the client has not read yet (RFC 9112, 9.6).
 */
function linger(
  request: IncomingMessage,
  response: ServerResponse,
  { text, clock }: { readonly text: string; readonly clock: Clock },
): void {
  lingering.add(response)
  if (text === '') response.flushHeaders()
  else response.write(text)
  const done = new AbortController()
  const end = (): void => {
    done.abort()
    response.end()
  }
  let leftBytes = lingerBytes
  request.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length
    if (leftBytes < 0) end()
  })
  request.once('end', end)
  request.once('close', end)
  clock.sleep(lingerMs, done.signal).then(end, () => undefined)
  request.resume()
}
