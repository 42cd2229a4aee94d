import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asHoldfastError, HoldfastError } from '../../../kernel/std/index.ts'
import type { House } from '../house.ts'
import type { Answer, SessionChange } from '../stages/index.ts'
import { bearerOf, sessionCookie, sessionOf } from './cookies.ts'
import { itemLines, prime } from './item-lines.ts'
import { refusalError, problemOf, retryAfter } from './problems.ts'
import type { ShownCredentials } from '../stages/index.ts'

/** What a request shows of its sender. */
export function credentialsOf(request: FastifyRequest): ShownCredentials {
  return {
    bearer: bearerOf(request.headers.authorization),
    session: sessionOf(request.headers.cookie),
    address: request.socket.remoteAddress ?? 'unknown',
  }
}

/** Answers with a problem. */
export async function sendProblem(reply: FastifyReply, error: unknown): Promise<FastifyReply> {
  const problem = problemOf(error)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="holdfast"')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Aborts when the client has gone before its answer was complete. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client has gone'))
  })
  return gone.signal
}

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new HoldfastError({
    code: 'operations.invalid-input',
    kind: 'user',
    message: 'the header Idempotency-Key is not valid',
    hint: 'send 1 to 200 visible ASCII characters',
    path: 'Idempotency-Key',
  })
}

function changeSession(reply: FastifyReply, isSecure: boolean, now: number): (change: SessionChange) => void {
  return (change) => {
    const cookie =
      change.is === 'started'
        ? sessionCookie(change.token, change.expiresAt - now, isSecure)
        : sessionCookie('', 0, isSecure)
    reply.header('set-cookie', cookie)
  }
}

interface Door {
  readonly house: House
  readonly isSecure: boolean
  /** Aborts when the doors close: streams end then, so that nobody waits for them. */
  readonly closing: AbortSignal
}

async function sendStream(
  { house, closing }: Door,
  reply: FastifyReply,
  items: AsyncIterable<unknown>,
): Promise<void> {
  const { clock, log } = house.context
  const primed = await prime(items)
  const failed = (error: unknown): void => {
    const { kind, message } = asHoldfastError(error)
    if (kind === 'bug') log.error({ error: message }, 'a stream failed')
  }
  const lines = Readable.from(itemLines(primed, { clock, failed, closing }), {
    objectMode: false,
    highWaterMark: 65_536,
  })
  await reply.type('application/x-ndjson').header('x-accel-buffering', 'no').send(lines)
}

async function sendAnswer(door: Door, reply: FastifyReply, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case 'value':
      await reply.type('application/json').send(JSON.stringify(answer.value ?? null))
      return
    case 'stream':
      return sendStream(door, reply, answer.items)
    case 'job':
      await reply.code(202).type('application/json').send(JSON.stringify(answer.job))
      return
    case 'refused':
      reply.header('retry-after', retryAfter(answer.refusal))
      await sendProblem(reply, refusalError(answer.refusal))
  }
}

/** `POST /ops/<name>`: every operation of the house. */
export function addOperations(app: FastifyInstance, door: Door): void {
  const { house, isSecure } = door
  app.post<{ Params: { name: string } }>('/ops/:name', async (request, reply) => {
    const { clock } = house.context
    const answer = await house.call({
      operation: request.params.name,
      input: request.body ?? {},
      credentials: credentialsOf(request),
      signal: goneSignal(reply),
      idempotencyKey: keyOf(request),
      onSession: changeSession(reply, isSecure, clock.now()),
    })
    reply.header('cache-control', 'no-store')
    await sendAnswer(door, reply, answer)
    return reply
  })
}
