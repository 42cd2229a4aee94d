import type { Job, OperationName, Operations } from '../contracts/index.ts'
import { ClientError, problemFrom, unreachable } from './error.ts'
import { readItems } from './lines.ts'

/** How to reach control. */
export interface ClientOptions {
  /** As `http://127.0.0.1:8400`, without a slash at the end; empty: where the page came from (the console). */
  readonly url: string
  /** Absent: the session's cookie, if there is one. */
  readonly token?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
  /** How long a value may take, milliseconds. Default 60,000. */
  readonly timeoutMs?: number
}

/** Names of the operations that answer in one way. */
export type NamesOf<Answers> = {
  [Name in OperationName]: Operations[Name]['answers'] extends Answers ? Name : never
}[OperationName]

/** How a job is asked for and watched. */
export interface JobOptions {
  /** The same key gives the same job for 24 hours; absent: a new one, so that a lost answer can be asked for again. */
  readonly idempotencyKey?: string
  readonly onProgress?: (job: Job) => void
  /** Stops watching; the job goes on. */
  readonly signal?: AbortSignal
}

/** Control's operations as methods, typed by the contracts. Every method throws ClientError. */
export interface Client {
  /** Calls an operation that answers with a value. */
  call<Name extends NamesOf<'value'>>(
    name: Name,
    input: Operations[Name]['input'],
    signal?: AbortSignal,
  ): Promise<Operations[Name]['output']>
  /** Items as they come; ends by itself, with the signal, or when the loop is left. */
  stream<Name extends NamesOf<'stream'>>(
    name: Name,
    input: Operations[Name]['input'],
    signal?: AbortSignal,
  ): AsyncIterable<Operations[Name]['output']>
  /** Asks for a job and answers at once. */
  request<Name extends NamesOf<'job'>>(
    name: Name,
    input: Operations[Name]['input'],
    idempotencyKey?: string,
  ): Promise<Job>
  /** Asks for a job and waits for its end, through restarts of control. A job that fails or is cancelled throws. */
  job<Name extends NamesOf<'job'>>(
    name: Name,
    input: Operations[Name]['input'],
    options?: JobOptions,
  ): Promise<Operations[Name]['output']>
  /** Follows a job to its end, through restarts of control. */
  follow(job: string, signal?: AbortSignal): AsyncIterable<Job>
  /** Any operation by its name, for programs that learn names at run time: value, items or job as it answers. */
  any(name: string, input: unknown, options?: AnyOptions): Promise<AnyAnswer>
}

/** Options of a call by name. */
export interface AnyOptions {
  readonly idempotencyKey?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a call by name came to. */
export type AnyAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'stream'; readonly items: AsyncIterable<unknown> }
  | { readonly kind: 'job'; readonly job: Job }

interface Request {
  readonly name: string
  readonly input: unknown
  readonly signal?: AbortSignal | undefined
  readonly idempotencyKey?: string | undefined
  /** Whether a lost answer may be asked for again. */
  readonly repeatable: boolean
}

const retryPausesMs = [100, 400]
const followPausesMs = [100, 200, 500, 1000, 2000, 5000]
/** About two minutes without control are no restart. */
const maxSilences = 30

function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', fail)
      resolve()
    }, durationMs)
    if (signal?.aborted === true) fail()
    else signal?.addEventListener('abort', fail, { once: true })
  })
}

/** Whether the operation's name says that it only reads; those are asked again when control is restarting. */
function onlyReads(name: string): boolean {
  return /\.(status|list|get|read|query|head|whoami|traffic|routes)$/.test(name)
}

async function refusal(response: Response): Promise<ClientError> {
  const body: unknown = await response.json().catch(() => null)
  return new ClientError(problemFrom(body, response.status, response.headers.get('retry-after')))
}

async function sendOnce(options: ClientOptions, request: Request): Promise<Response> {
  const { name, input, signal, idempotencyKey } = request
  const send = options.fetch ?? fetch
  const headers = {
    'content-type': 'application/json',
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  }
  try {
    return await send(`${options.url}/ops/${encodeURIComponent(name)}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(input ?? {}),
      credentials: 'same-origin',
      redirect: 'error',
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw unreachable(options.url, error)
  }
}

function mayTryAgain(error: unknown): boolean {
  return error instanceof ClientError && (error.status === 0 || error.code === 'control.stopping')
}

async function send(options: ClientOptions, request: Request): Promise<Response> {
  const pausesMs = request.repeatable ? retryPausesMs : []
  for (let tries = 0; ; tries++) {
    try {
      const response = await sendOnce(options, request)
      if (!response.ok) throw await refusal(response)
      return response
    } catch (error) {
      const pauseMs = pausesMs[tries]
      if (pauseMs === undefined || !mayTryAgain(error)) throw error
      await pause(pauseMs, request.signal)
    }
  }
}

async function callValue(
  options: ClientOptions,
  called: { readonly name: string; readonly input: unknown; readonly signal?: AbortSignal | undefined },
): Promise<unknown> {
  const patience = AbortSignal.timeout(options.timeoutMs ?? 60_000)
  const signal = called.signal === undefined ? patience : AbortSignal.any([called.signal, patience])
  const request = { ...called, signal, repeatable: onlyReads(called.name) }
  try {
    const response = await send(options, request)
    return await response.json()
  } catch (error) {
    if (error instanceof ClientError || called.signal?.aborted === true) throw error
    throw unreachable(options.url, error)
  }
}

async function* streamItems(
  options: ClientOptions,
  called: { readonly name: string; readonly input: unknown; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<unknown> {
  const response = await send(options, { ...called, repeatable: false })
  if (response.body !== null) yield* readItems(response.body, options.url)
}

/** Items until the signal aborts: then the stream ends without an error. */
async function* quietly<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  try {
    for await (const item of items) {
      if (signal?.aborted === true) return
      yield item
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
}

async function requestJob(options: ClientOptions, called: Omit<Request, 'repeatable'>): Promise<Job> {
  const idempotencyKey = called.idempotencyKey ?? crypto.randomUUID()
  const response = await send(options, { ...called, idempotencyKey, repeatable: true })
  return (await response.json()) as Job
}

/** One look at a job until it ends or control goes away. */
async function* followOnce(
  options: ClientOptions,
  job: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Job> {
  try {
    yield* streamItems(options, { name: 'jobs.follow', input: { job }, signal }) as AsyncGenerator<Job>
  } catch (error) {
    if (!mayTryAgain(error)) throw error
  }
}

async function* followJob(
  options: ClientOptions,
  job: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Job> {
  for (let silences = 0; ; silences++) {
    for await (const seen of followOnce(options, job, signal)) {
      silences = 0
      yield seen
      if (seen.endedAt !== null) return
    }
    if (silences === maxSilences) throw unreachable(options.url, undefined)
    await pause(followPausesMs[Math.min(silences, followPausesMs.length - 1)] ?? 0, signal)
  }
}

function failed(job: Job): ClientError {
  const { code, message, hint } = job.error ?? {
    code: 'jobs.cancelled',
    message: 'the job was cancelled',
    hint: null,
  }
  return new ClientError({ code, message, hint: hint ?? undefined, kind: 'operational', status: 200 })
}

async function waitForJob(
  options: ClientOptions,
  called: { readonly name: string; readonly input: unknown },
  { idempotencyKey, onProgress, signal }: JobOptions = {},
): Promise<unknown> {
  const requested = await requestJob(options, { ...called, signal, idempotencyKey })
  onProgress?.(requested)
  let last = requested
  if (requested.endedAt === null) {
    for await (const job of followJob(options, requested.id, signal)) {
      last = job
      onProgress?.(job)
    }
  }
  if (last.state !== 'done') throw failed(last)
  return last.result
}

async function callAny(
  options: ClientOptions,
  called: { readonly name: string; readonly input: unknown },
  { idempotencyKey, signal }: AnyOptions = {},
): Promise<AnyAnswer> {
  const request = { ...called, signal, idempotencyKey, repeatable: onlyReads(called.name) }
  const response = await send(options, request)
  if (response.headers.get('content-type')?.startsWith('application/x-ndjson') === true) {
    const { body } = response
    const items = body === null ? (async function* () {})() : readItems(body, options.url)
    return { kind: 'stream', items: quietly(items, signal) }
  }
  const value: unknown = await response.json()
  return response.status === 202 ? { kind: 'job', job: value as Job } : { kind: 'value', value }
}

/** Creates a client of control. Runs in browsers and in Node; has no dependency. */
export function createClient(options: ClientOptions): Client {
  const client = {
    call: (name: string, input: unknown, signal?: AbortSignal) => callValue(options, { name, input, signal }),
    stream: (name: string, input: unknown, signal?: AbortSignal) =>
      quietly(streamItems(options, { name, input, signal }), signal),
    request: (name: string, input: unknown, idempotencyKey?: string) =>
      requestJob(options, { name, input, idempotencyKey }),
    job: (name: string, input: unknown, jobOptions?: JobOptions) =>
      waitForJob(options, { name, input }, jobOptions),
    follow: (job: string, signal?: AbortSignal) => followJob(options, job, signal),
    any: (name: string, input: unknown, anyOptions?: AnyOptions) =>
      callAny(options, { name, input }, anyOptions),
  }
  return client as Client
}
