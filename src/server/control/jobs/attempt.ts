import { jobFacts } from '../../../contracts/index.ts'
import type { Context, JobCall, OperationBinding } from '../../../kernel/capability/index.ts'
import {
  asHoldfastError,
  assert,
  canonicalJson,
  HoldfastError,
  type Json,
  type JsonObject,
  lookUp,
} from '../../../kernel/std/index.ts'
import { validateInput, validateOutput } from '../stages/index.ts'
import type { JobError, Outcome, StoredJob } from './fold.ts'

/** At most this much of a result, of a job or of one of its steps, as JSON, in characters. */
export const maxResultSize = 65_536
/** At most so many recorded steps in one job. */
export const maxSteps = 1000

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: Outcome
  readonly result: Json
  readonly error: JobError | null
}

/** What an attempt stands on. */
export interface AttemptGround {
  readonly context: Pick<Context, 'record'>
  readonly binding: OperationBinding
  readonly signal: AbortSignal
  /** The job as its facts tell it now. */
  readonly stored: () => StoredJob
  readonly progress: (share: number, says: string) => void
}

/** The reason of an abort because somebody cancelled. */
export function cancelled(): HoldfastError {
  return new HoldfastError({ code: 'jobs.cancelled', kind: 'user', message: 'the job was cancelled' })
}

/** How a job ends that failed. */
export function failure(error: unknown): AttemptEnd {
  const { code, message, hint } = asHoldfastError(error)
  return { outcome: 'failed', result: null, error: { code, message, hint: hint ?? null } }
}

function plain(value: unknown, what: string): Json {
  const text = canonicalJson(JSON.parse(JSON.stringify(value ?? null)) as Json)
  assert(text.length <= maxResultSize, `${what} is larger than ${maxResultSize} characters`)
  return JSON.parse(text) as Json
}

function stepper(ground: AttemptGround): JobCall['step'] {
  const taken = new Set<string>()
  return async (name, act) => {
    const { id: job, operation, steps, actor } = ground.stored()
    assert(!taken.has(name), `the step "${name}" of ${operation} is taken twice`)
    assert(taken.size < maxSteps, `${operation} takes more than ${maxSteps} steps`)
    taken.add(name)
    const recorded = lookUp(steps, name)
    if (recorded !== undefined) return recorded as Awaited<ReturnType<typeof act>>
    ground.signal.throwIfAborted()
    const result = await act()
    const data = {
      job,
      operation,
      step: name,
      result: plain(result, `the result of "${name}"`) as JsonObject,
    }
    await ground.context.record(jobFacts.stepDone, data as never, {
      subject: `job:${job}`,
      actor,
      correlation: job,
    })
    return result
  }
}

function jobCall(ground: AttemptGround): JobCall {
  const { id, actor } = ground.stored()
  const { permission } = ground.binding.declaration
  const { signal, progress } = ground
  return {
    caller: { actor, permission },
    signal,
    correlation: id,
    jobId: id,
    progress: (share, says) => progress(Math.min(1, Math.max(0, share)), says),
    step: stepper(ground),
  }
}

/** Runs a job's code once, to its end, its failure, or the answer to its cancellation. */
export async function attempt(ground: AttemptGround): Promise<AttemptEnd> {
  const { declaration, act } = ground.binding
  try {
    const input = validateInput(declaration, ground.stored().input)
    const output = validateOutput(declaration, await act(input as never, jobCall(ground)))
    return { outcome: 'done', result: plain(output, 'the result'), error: null }
  } catch (error) {
    return ground.stored().cancelRequested
      ? { outcome: 'cancelled', result: null, error: null }
      : failure(error)
  }
}

/** Lets a job that ends without its code say the ends of what it began. Errors: those of its code. */
export async function conclude(ground: AttemptGround, because: string): Promise<void> {
  const { declaration, conclude: say } = ground.binding
  await say?.(validateInput(declaration, ground.stored().input) as never, jobCall(ground), because)
}
