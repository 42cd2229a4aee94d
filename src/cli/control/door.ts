import type { Job, OperationName } from '../../contracts/index.ts'
import type { Json, JsonObject } from '../../kernel/std/index.ts'

/** How to wait for a job. */
export interface JobWait {
  readonly idempotencyKey?: string | undefined
  readonly onProgress?: ((job: Job) => void) | undefined
  readonly signal: AbortSignal
}

/** What commands need of control, for operations whose name is known only when the program runs. */
export interface Door {
  call(name: OperationName, input: JsonObject): Promise<Json>
  stream(name: OperationName, input: JsonObject, signal: AbortSignal): AsyncIterable<Json>
  /** Starts a job and waits for its result. */
  job(name: OperationName, input: JsonObject, wait: JobWait): Promise<Json>
}
