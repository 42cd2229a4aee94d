import { ClientError, createClient } from '../client/index.ts'
import type { Job } from '../contracts/index.ts'
import { HoldfastError, type Json, type JsonObject } from '../kernel/std/index.ts'
import { locateControl, type Directions, type Door } from './control/index.ts'

/** The client without its types: here the name of an operation is known only when the program runs. */
interface UntypedClient {
  call(name: string, input: JsonObject): Promise<Json>
  stream(name: string, input: JsonObject, signal: AbortSignal): AsyncIterable<Json>
  job(name: string, input: JsonObject, options: UntypedJobOptions): Promise<Json>
}

interface UntypedJobOptions {
  readonly idempotencyKey?: string
  readonly onProgress?: (job: Job) => void
  readonly signal: AbortSignal
}

function translate(error: unknown): unknown {
  if (!(error instanceof ClientError)) return error
  const { code, kind, message, hint, path } = error
  return new HoldfastError({ code, kind, message, hint, path, cause: error })
}

async function translated<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error: unknown) => {
    throw translate(error)
  })
}

async function* translatedItems(items: AsyncIterable<Json>): AsyncGenerator<Json> {
  try {
    yield* items
  } catch (error) {
    throw translate(error)
  }
}

/** Connects to the control that the directions lead to. Errors: `control.unreachable`, `access.unauthenticated`. */
export async function connect(directions: Directions): Promise<Door> {
  const { url, token } = await locateControl(directions)
  const client = createClient({ url, token }) as unknown as UntypedClient
  return {
    call: (name, input) => translated(client.call(name, input)),
    stream: (name, input, signal) => translatedItems(client.stream(name, input, signal)),
    job: (name, input, { idempotencyKey, onProgress, signal }) =>
      translated(
        client.job(name, input, {
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
          ...(onProgress === undefined ? {} : { onProgress }),
          signal,
        }),
      ),
  }
}
