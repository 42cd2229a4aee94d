import { operationCatalogue } from '../../contracts/index.ts'
import type { Capability, Context, OperationBinding } from '../../kernel/capability/index.ts'
import {
  assert,
  HoldfastError,
  plainError,
  uuidv7,
  type OperationDeclaration,
} from '../../kernel/std/index.ts'
import type { Retention } from '../../kernel/timeline/index.ts'
import {
  accessFold,
  createAccess,
  hashToken,
  servicesByHash,
  type Access,
  type People,
} from './access/index.ts'
import { createContext, createViews, type HousePorts, type Views } from './context.ts'
import { createJobs, jobsFold, type Jobs } from './jobs/index.ts'
import { bindOwn } from './own-operations/index.ts'
import { createRegistry, type Registry } from './registry.ts'
import { defaultRetention, keepRetention } from './retention.ts'
import {
  createCallLimits,
  keepLimits,
  passStages,
  readKeptLimits,
  silentAnnouncer,
  type Announcer,
  type Answer,
  type CallLimits,
  type CallRequest,
  type KeepableLimits,
  type Passage,
  type StageGround,
} from './stages/index.ts'
import { createStreamPlaces } from './streams.ts'

/** One call that came to its end, for measuring. */
export interface ObservedCall {
  readonly operation: string
  /** `done`, `refused`, or the code of the error. */
  readonly outcome: string
  /** Until the answer stood; a stream's or job's own time is not in it. */
  readonly durationMs: number
}

/** What a house is made of. */
export interface HouseOptions extends HousePorts {
  /** Creates the capabilities, without effects. */
  readonly capabilities: (context: Context) => readonly Capability[]
  /** Operations that belong to no capability, as `environment.reload`. */
  readonly bindings?: (context: Context) => readonly OperationBinding[]
  /** Default: every operation of the contracts; each must be bound. */
  readonly catalogue?: readonly OperationDeclaration[]
  readonly people?: People
  /** Null or absent: there is no root token, only people, tokens and the house itself. */
  readonly rootToken?: string | null
  /** Names of the services whose replicas may come in, with tokens that derive from the root token; default: none. */
  readonly services?: readonly string[]
  /** Where people reach the console; default `http://127.0.0.1:8400`. */
  readonly consoleUrl?: () => string
  /** Default: 400 days and 4 GiB. */
  readonly retention?: Retention
  /** Default: says nothing. */
  readonly announcer?: Announcer
  readonly observe?: (call: ObservedCall) => void
  /** Where the limits of calls are kept for the next control; absent: nowhere, so it begins with empty accounts. */
  readonly limitsFile?: string
}

/** The house: every door asks it, and nobody gets past its stages. */
export interface House {
  readonly context: Context
  /** Every operation that can be called. */
  readonly operations: readonly OperationDeclaration[]
  readonly access: Access
  readonly jobs: Jobs
  readonly limits: CallLimits
  /**
   * Passes a call through the stages. A refusal by a limit is an answer; everything else that goes wrong is a
   * HoldfastError.
   */
  call(request: CallRequest): Promise<Answer>
  /** Stops capabilities and jobs and writes checkpoints; the timeline stays open. Unended jobs go on at the next start. */
  stop(): Promise<void>
}

interface Core {
  readonly options: HouseOptions
  readonly context: Context
  readonly registry: Registry
  readonly access: Access
  readonly jobs: Jobs
  readonly limits: KeepableLimits
}

function stageGround(core: Core, stopping: AbortSignal): StageGround {
  const { options, context, registry, access, jobs, limits } = core
  return {
    clock: options.clock,
    log: options.log,
    announcer: options.announcer ?? silentAnnouncer,
    limits,
    find: (name) => registry.find(name),
    authenticate: (credentials) => access.authenticate(credentials),
    requestJob: ({ declaration, visitor, input, correlation, request }: Passage) => {
      stopping.throwIfAborted()
      const { actor } = visitor.caller
      const idempotencyKey = request.idempotencyKey ?? null
      return jobs.request({ id: correlation, operation: declaration.name, actor, input, idempotencyKey })
    },
    record: (declaration, data, extras) => context.record(declaration, data, extras),
    newId: () => uuidv7(options.clock, options.random),
    openStream: createStreamPlaces(),
  }
}

async function observed(ground: StageGround, request: CallRequest, options: HouseOptions): Promise<Answer> {
  const startedAt = options.clock.monotonicMs()
  const tell = (outcome: string): void => {
    const durationMs = options.clock.monotonicMs() - startedAt
    options.observe?.({ operation: request.operation, outcome, durationMs })
  }
  try {
    const answer = await passStages(ground, request)
    tell(answer.kind === 'refused' ? 'refused' : 'done')
    return answer
  } catch (error) {
    tell(plainError(error).code)
    throw error
  }
}

async function startAll(capabilities: readonly Capability[]): Promise<void> {
  const started: Capability[] = []
  for (const capability of capabilities) {
    try {
      started.push(capability)
      await capability.start()
    } catch (error) {
      await stopAll(started, () => undefined)
      throw error
    }
  }
}

async function stopAll(
  capabilities: readonly Capability[],
  failed: (name: string, error: unknown) => void,
): Promise<void> {
  for (const capability of capabilities.toReversed()) {
    await capability.stop().catch((error: unknown) => failed(capability.name, error))
  }
}

function stoppingError(): HoldfastError {
  return new HoldfastError({
    code: 'control.stopping',
    kind: 'operational',
    message: 'control is about to stop',
    hint: 'try again in a moment',
  })
}

async function createCore(
  options: HouseOptions,
  context: Context,
  views: Views,
): Promise<{ readonly core: Core; readonly capabilities: readonly Capability[] }> {
  const catalogue = options.catalogue ?? operationCatalogue
  const { rootToken = null, services = [] } = options
  const people = (): People => options.people ?? {}
  const access = createAccess({
    context,
    view: await views.start(accessFold),
    people,
    rootTokenHash: rootToken === null ? null : hashToken(rootToken),
    services: servicesByHash(rootToken, services),
    consoleUrl: options.consoleUrl ?? (() => 'http://127.0.0.1:8400'),
  })
  const shelf: { registry?: Registry } = {}
  const jobs = createJobs({
    context,
    view: await views.start(jobsFold),
    find: (name) => shelf.registry?.get(name),
  })
  const capabilities = options.capabilities(context)
  const operations = (): readonly OperationDeclaration[] => shelf.registry?.operations ?? []
  const registry = createRegistry(
    [
      ...capabilities.flatMap((capability) => capability.operations),
      ...(options.bindings?.(context) ?? []),
      ...bindOwn({ context, access, jobs, people, operations }),
    ],
    catalogue,
  )
  shelf.registry = registry
  const { limitsFile } = options
  const saved = limitsFile === undefined ? null : await readKeptLimits(limitsFile, options.log)
  const limits = createCallLimits(registry.operations, { ...options, saved })
  return { core: { options, context, registry, access, jobs, limits }, capabilities }
}

/**
 * Builds the house and starts it: views, capabilities, then the jobs that have not ended. Runs without HTTP and under
 * a virtual clock. Errors: `operations.misdeclared` (a bug), and whatever a capability's start throws.
 */
export async function createHouse(options: HouseOptions): Promise<House> {
  const { timeline, series, clock, random, log, notes = () => [] } = options
  const views = createViews(timeline)
  const ending = new AbortController()
  const inner: { call?: House['call']; jobs?: Jobs } = {}
  const context = createContext({ timeline, series, clock, random, log, notes }, views, {
    call: (request) => {
      assert(inner.call !== undefined, 'a capability called an operation before the house stood')
      return inner.call(request)
    },
    jobs: () => {
      assert(inner.jobs !== undefined, 'a capability asked for a job before the house stood')
      return inner.jobs
    },
    stopping: ending.signal,
  })
  const { core, capabilities } = await createCore(options, context, views)
  const ground = stageGround(core, ending.signal)
  inner.call = (request) => observed(ground, request, options)
  inner.jobs = core.jobs
  const { registry, access, jobs, limits } = core
  await startAll(capabilities)
  jobs.begin()
  const endKeeping = options.limitsFile === undefined ? null : keepLimits(options.limitsFile, limits, context)
  const endRetention = keepRetention(context, options.retention ?? defaultRetention)
  return {
    context,
    operations: registry.operations,
    access,
    jobs,
    limits,
    call: inner.call,
    stop: async () => {
      if (ending.signal.aborted) return
      ending.abort(stoppingError())
      await jobs.stop()
      await stopAll(capabilities, (name, error) =>
        log.error(
          { capability: name, error: plainError(error).message },
          'a capability did not stop cleanly',
        ),
      )
      await endRetention()
      await endKeeping?.()
      await views.close()
    },
  }
}
