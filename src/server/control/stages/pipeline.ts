import type { Job } from '../../../contracts/index.ts'
import type { FactExtras, Log, OperationBinding } from '../../../kernel/capability/index.ts'
import {
  HoldfastError,
  plainError,
  type Clock,
  type FactDeclaration,
  type OperationDeclaration,
} from '../../../kernel/std/index.ts'
import { announce, type Announcer } from './announce.ts'
import { authorise } from './authorise.ts'
import type {
  Answer,
  CallRequest,
  Credentials,
  HouseCall,
  Passage,
  Refusal,
  SessionChange,
  Visitor,
} from './call.ts'
import type { CallLimits } from './limits.ts'
import { calledFact, isRefusedPermission, leavesFact, recordedInput } from './record.ts'
import { validateInput, validateOutput } from './validate.ts'

/** What the stages stand on. */
export interface StageGround {
  readonly clock: Clock
  readonly log: Log
  readonly announcer: Announcer
  readonly limits: CallLimits
  /** Errors: `operations.unknown`. */
  find(operation: string): OperationBinding
  /** Errors: `access.unauthenticated` for a token that is not valid; nobody at all is `anonymous`. */
  authenticate(credentials: Credentials): Visitor
  requestJob(passage: Passage): Promise<Job>
  record<Data>(declaration: FactDeclaration<Data>, data: Data, extras: FactExtras): Promise<unknown>
  newId(): string
  /** Takes a place for an open stream; null: there is none left for this caller. */
  openStream(visitor: Visitor): (() => void) | Refusal
}

/** Passes one call through the fixed stages: authenticate, validate, authorise, limit, announce, act, record. */
export async function passStages(ground: StageGround, request: CallRequest): Promise<Answer> {
  const binding = ground.find(request.operation)
  const { declaration } = binding
  const visitor = ground.authenticate(request.credentials)
  const input = validateInput(declaration, request.input)
  const passage = { binding, declaration, visitor, input, correlation: ground.newId(), request }
  const answer = await carryOut(ground, passage).catch(async (error: unknown) => {
    await recordFailure(ground, passage, error)
    throw error
  })
  if (answer.kind !== 'refused') await record(ground, passage, answer.kind === 'job' ? 'requested' : 'done')
  return answer
}

async function carryOut(ground: StageGround, passage: Passage): Promise<Answer> {
  const { declaration, visitor } = passage
  authorise(visitor.caller, declaration)
  const refusal = ground.limits.take(declaration.name, visitor)
  if (refusal !== null) return { kind: 'refused', refusal }
  await announceChange(ground, passage)
  return act(ground, passage)
}

/** The caller is told what went wrong with the call, not that it could not be recorded. */
async function recordFailure(ground: StageGround, passage: Passage, error: unknown): Promise<void> {
  try {
    await record(ground, passage, plainError(error).code)
  } catch (failure) {
    const details = { operation: passage.declaration.name, error: plainError(failure).message }
    ground.log.error(details, 'could not record a call')
  }
}

async function announceChange(ground: StageGround, passage: Passage): Promise<void> {
  const { declaration, visitor, input, correlation } = passage
  if (declaration.danger === 'none') return
  await announce(ground, {
    operation: declaration.name,
    actor: visitor.caller.actor,
    danger: declaration.danger,
    input: recordedInput(declaration, input),
    correlation,
  })
}

async function act(ground: StageGround, passage: Passage): Promise<Answer> {
  const { declaration, binding, input } = passage
  if (declaration.answers === 'job') return { kind: 'job', job: await ground.requestJob(passage) }
  const given = binding.act(input as never, houseCall(passage))
  if (declaration.answers === 'value') {
    return { kind: 'value', value: validateOutput(declaration, await given) }
  }
  return stream(ground, passage, given as AsyncIterable<unknown>)
}

function stream(ground: StageGround, passage: Passage, items: AsyncIterable<unknown>): Answer {
  const place = ground.openStream(passage.visitor)
  if (typeof place !== 'function') return { kind: 'refused', refusal: place }
  const { declaration, request } = passage
  return { kind: 'stream', items: guarded(declaration, items, { signal: request.signal, leave: place }) }
}

/** Items as declared; the source is ended and the place given back when the reader stops or has gone. */
function guarded(
  declaration: OperationDeclaration,
  items: AsyncIterable<unknown>,
  rim: { readonly signal: AbortSignal; readonly leave: () => void },
): AsyncIterable<unknown> {
  async function* checked(): AsyncGenerator<unknown> {
    try {
      for await (const item of items) yield validateOutput(declaration, item)
    } finally {
      rim.leave()
    }
  }
  // A reader that goes before it has read anything never enters the generator, so `finally` alone is not enough.
  if (rim.signal.aborted) rim.leave()
  rim.signal.addEventListener('abort', rim.leave, { once: true })
  return checked()
}

/** The call as the code of an operation sees it. A job gets its own from the jobs. */
function houseCall(passage: Passage): HouseCall {
  const { visitor, correlation, request } = passage
  const noJob = (): never => {
    throw new HoldfastError({
      code: 'kernel.assertion-failed',
      kind: 'bug',
      message: `${passage.declaration.name} is no job`,
    })
  }
  return {
    caller: visitor.caller,
    signal: request.signal,
    correlation,
    jobId: '',
    progress: noJob,
    step: noJob,
    visitor,
    changeSession: (change: SessionChange) => request.onSession?.(change),
  }
}

async function record(ground: StageGround, passage: Passage, outcome: string): Promise<void> {
  const { declaration: operation, visitor, input, correlation } = passage
  if (!leavesFact(operation)) return
  if (isRefusedPermission(outcome) && ground.limits.takeDoor('refusals', visitor) !== null) return
  const { actor } = visitor.caller
  const { declaration, data } = calledFact(operation, { actor, input, outcome })
  await ground.record(declaration, data, { subject: `operation:${operation.name}`, actor, correlation })
}
