import { keepControl, type Control } from '../world/control.ts'
import type { FakeReplica } from '../world/replica.ts'
import { createWorld, loadedOf, type World } from '../world/world.ts'
import { environmentFile, type EnvironmentInput } from '../../../src/server/composition/config.ts'
import type { Job } from '../../../src/contracts/index.ts'
import type { House } from '../../../src/server/control/index.ts'
import type { InputOf, OperationDeclaration, OutputOf } from '../../../src/kernel/std/index.ts'

/** A world in which one undertaking is made, and what was seen of it. */
export interface Stage {
  readonly world: World
  readonly control: Control
  /** Hash of the file that it began with. */
  readonly first: string
  /** Key of each run of a job, once for each time that it was started. */
  readonly runs: string[]
  /** What no change may do, and when it was done. */
  readonly harm: string[]
  /** How often control has to serve how many; the engine is looked at this often. */
  promise: Readonly<Record<string, number>>
}

const lookMs = 50
const stepMs = 100
const patienceMs = 600_000
const never = new AbortController().signal
const trusted = { actor: 'person:ada', permission: 'administer' } as const

/** How releases and jobs of the simulation behave, by their names. */
function behave(replica: FakeReplica, runs: string[]): void {
  const { command, release, restarts, variables } = replica.spec
  if (release === 'bad') replica.ill = true
  if (command.includes('crashing')) replica.crashAfterMs = 100
  if (restarts) return
  runs.push(variables['HOLDFAST_RUN'] ?? '')
  if (release === 'bad-migration') replica.run = { takesMs: 300, code: 7 }
}

/** Replicas of a service to which the edge sends and that answer. */
function serving({ engine, dataPlane }: World, service: string): number {
  const targets = dataPlane.policy?.upstreams.find(({ name }) => name === service)?.targets ?? []
  return targets.filter(({ id, weight }) => weight !== 0 && engine.replicas.get(id)?.well === true).length
}

function look(stage: Stage): void {
  const { world, promise, harm } = stage
  for (const [service, least] of Object.entries(promise)) {
    const now = serving(world, service)
    if (now < least) harm.push(`at ${world.clock.monotonicMs()} ms ${now} of ${service} serve, not ${least}`)
  }
}

/** Whoever is stopped must not be sent to any more. */
function onGone({ world, promise, harm }: Stage, { spec, well }: FakeReplica): void {
  if (!well || promise[spec.service] === undefined) return
  const targets = world.dataPlane.policy?.upstreams.flatMap((upstream) => upstream.targets) ?? []
  if (targets.some(({ id }) => id === spec.id))
    harm.push(`at ${world.clock.monotonicMs()} ms ${spec.id} is stopped while the edge sends to it`)
}

/** Begins a world with an environment. */
export async function createStage(seed: number, input: EnvironmentInput): Promise<Stage> {
  const world = await createWorld(seed, environmentFile.parse(input))
  const { hash: first } = world.place.accepted
  const stage: Stage = { world, control: keepControl(world), first, runs: [], harm: [], promise: {} }
  world.engine.onMade = (replica) => behave(replica, stage.runs)
  world.engine.onGone = (replica) => onGone(stage, replica)
  world.clock.every(lookMs, () => look(stage))
  return stage
}

/** Writes another environment file. */
export function write({ world }: Stage, input: EnvironmentInput): void {
  world.place.written = loadedOf(environmentFile.parse(input))
}

/** What a control answers; nothing when it dies over it. Errors: those of the question. */
async function answerOf<T>({ world, control }: Stage, house: House, ask: Ask<T>): Promise<T | null> {
  const got: { answer?: T | null; error?: unknown } = {}
  ask(house).then(
    (answer) => (got.answer = answer),
    (error: unknown) => (got.error = error),
  )
  const isOpen = (): boolean => got.answer === undefined && got.error === undefined
  do await world.clock.advance(stepMs)
  while (isOpen() && control.house === house)
  if (got.error !== undefined && control.house === house) throw got.error
  return got.answer ?? null
}

type Ask<T> = (house: House) => Promise<T | null>

/** Waits until something is answered, by whichever control lives; one that dies meanwhile is asked again. */
export async function untilSaid<T>(stage: Stage, what: string, ask: Ask<T>): Promise<T> {
  const { clock } = stage.world
  const deadline = clock.monotonicMs() + patienceMs
  while (clock.monotonicMs() < deadline) {
    const { house } = stage.control
    if (house === null) await clock.advance(stepMs)
    const answer = house === null ? null : await answerOf(stage, house, ask)
    if (answer !== null) return answer
  }
  throw new Error(`waited in vain for ${what}`)
}

/** Calls an operation that answers with a value. */
export function call<O extends OperationDeclaration>(
  stage: Stage,
  declaration: O,
  input: InputOf<O>,
): Promise<OutputOf<O>> {
  return untilSaid(stage, declaration.name, async (house) => {
    const answer = await house.call({
      operation: declaration.name,
      input,
      credentials: { trusted },
      signal: never,
    })
    if (answer.kind !== 'value') throw new Error(`${declaration.name} answers with ${answer.kind}`)
    return answer.value as OutputOf<O>
  })
}

/** Asks for a job, once, whatever happens to control meanwhile. */
function request<O extends OperationDeclaration>(
  stage: Stage,
  { name: operation }: O,
  input: InputOf<O>,
): Promise<string> {
  const idempotencyKey = `${operation} ${JSON.stringify(input)}`
  return untilSaid(stage, operation, async (house) => {
    const answer = await house.call({
      operation,
      input,
      credentials: { trusted },
      signal: never,
      idempotencyKey,
    })
    if (answer.kind !== 'job') throw new Error(`${operation} answers with ${answer.kind}`)
    return answer.job.id
  })
}

const endOf = (stage: Stage, id: string): Promise<Job> =>
  untilSaid(stage, `the end of ${id}`, (house) => {
    const job = house.jobs.get(id)
    return Promise.resolve(job.endedAt === null ? null : job)
  })

/** Does a job, to its end. */
export async function perform<O extends OperationDeclaration>(
  stage: Stage,
  declaration: O,
  input: InputOf<O>,
): Promise<Job> {
  return endOf(stage, await request(stage, declaration, input))
}

/** Does a job and cancels it when control has died over it. */
export async function performThenCancel<O extends OperationDeclaration>(
  stage: Stage,
  declaration: O,
  input: InputOf<O>,
): Promise<Job> {
  const { starts } = stage.control
  const id = await request(stage, declaration, input)
  await untilSaid(stage, 'a death, or an end', (house) =>
    Promise.resolve(stage.control.starts > starts || house.jobs.get(id).endedAt !== null ? true : null),
  )
  await untilSaid(stage, 'the cancelling', (house) => house.jobs.cancel(id, trusted.actor))
  return endOf(stage, id)
}
