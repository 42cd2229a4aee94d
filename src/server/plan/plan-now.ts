import { totalmem } from 'node:os'
import {
  environmentOperations,
  type DeployHistory,
  type EnvironmentPlan,
  type EnvironmentStatus,
} from '../../contracts/environment.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { HoldfastError } from '../../kernel/std/index.ts'
import { runsContainers, type LoadedEnvironment } from '../composition/index.ts'
import { makePlan } from './make-plan.ts'

/** What plans stand on. */
export interface PlanGround {
  /** What was applied last: the environment that this control runs. */
  readonly loaded: LoadedEnvironment
  /** Reads and checks the file as it is now. Errors: `configuration.*`. */
  readonly readAgain: () => Promise<LoadedEnvironment>
  /** Accepts a file, so that control starts from it next time. */
  readonly accept: (fresh: LoadedEnvironment) => Promise<void>
  readonly context: Context
  /** Removes an object with its data, as `volume uploads`; one that is gone is none. */
  readonly destroy: (object: string) => Promise<void>
  /** Why the files of a volume on such a node cannot be removed from here; null: they can. */
  readonly whyKept: (volume: string, node: string) => Promise<string | null>
  /** The apply that is under way in this control. */
  readonly applying: { job: string | null }
  /** Begins what the file that was accepted only adds, and ends control; the supervisor starts it again with that file. */
  readonly handOver: (fresh: LoadedEnvironment) => Promise<void>
}

/** A plan, with the file that it is for. */
export interface Planned {
  readonly plan: EnvironmentPlan
  readonly fresh: LoadedEnvironment
}

const lookPatienceMs = 10_000
const lookPollMs = 100
const bytesInMiB = 2 ** 20

/** On an engine that runs programs nothing could take the place of a release that is an image. */
function refuseImages({ environment }: LoadedEnvironment, releases: DeployHistory['releases']): void {
  if (runsContainers(environment)) return
  const found = releases.find(
    ({ service, image }) => image !== null && Object.hasOwn(environment.services, service),
  )
  if (found === undefined) return
  throw new HoldfastError({
    code: 'environment.image-unfit',
    kind: 'user',
    message: `release ${found.running} of ${found.service} is an image, and the local engine runs programs`,
    path: 'engine',
    hint: `deploy files first: holdfast deploy ${found.service} --version <version> --from .`,
  })
}

/** Volumes that go from the file and whose files stay where they are, and why. */
async function keptVolumes(
  { environment: { volumes } }: LoadedEnvironment,
  { environment: fresh }: LoadedEnvironment,
  whyKept: PlanGround['whyKept'],
): Promise<Readonly<Record<string, string>>> {
  const kept: Record<string, string> = {}
  for (const [volume, { node }] of Object.entries(volumes)) {
    if (node === undefined || Object.hasOwn(fresh.volumes, volume)) continue
    const why = await whyKept(volume, node)
    if (why !== null) kept[volume] = why
  }
  return kept
}

/** What runs, as soon as this control has looked; after a while as it is. */
export async function knownStatus({
  loaded,
  context,
}: Pick<PlanGround, 'loaded' | 'context'>): Promise<EnvironmentStatus> {
  const deadlineMs = context.clock.monotonicMs() + lookPatienceMs
  for (;;) {
    const status = await context.call(environmentOperations.status, {})
    const isKnown = status.services.length >= Object.keys(loaded.environment.services).length
    if (isKnown || context.clock.monotonicMs() > deadlineMs) return status
    await context.clock.sleep(lookPollMs)
  }
}

/** Makes a plan for the file as it is now, over what runs or was seen to run. Errors: those of reading it, `environment.image-unfit`. */
export async function planNow(
  { loaded, readAgain, whyKept, context }: PlanGround,
  seen?: EnvironmentStatus,
): Promise<Planned> {
  const fresh = await readAgain()
  const status = seen ?? (await knownStatus({ loaded, context }))
  const { releases } = await context.call(environmentOperations.deploys, { most: 1 })
  refuseImages(fresh, releases)
  const images = Object.fromEntries(
    releases.flatMap(({ service, image }) => (image === null ? [] : [[service, image] as const])),
  )
  const machineMiB = Math.floor(totalmem() / bytesInMiB)
  const kept = await keptVolumes(loaded, fresh, whyKept)
  return { plan: makePlan({ kept, accepted: loaded, fresh, status, images, machineMiB }), fresh }
}

const longestSummary = 1000

const became: Readonly<Record<EnvironmentPlan['steps'][number]['verb'], string>> = {
  create: 'is new',
  change: 'is changed',
  replace: 'is replaced',
  scale: 'is scaled',
  remove: 'is gone',
}

/** What a plan does, in a line. */
export function summaryOf({ steps }: EnvironmentPlan): string {
  return steps
    .map(({ object, verb }) => `${object} ${became[verb]}`)
    .join('; ')
    .slice(0, longestSummary)
}

/** Refuses to lose data that nobody has named. Errors: `environment.destroys-data`. */
export function refuseLoss(unnamed: readonly string[], hint: string): void {
  if (unnamed.length === 0) return
  throw new HoldfastError({
    code: 'environment.destroys-data',
    kind: 'user',
    message: `this would destroy data: ${unnamed.join(', ')}`,
    hint,
  })
}
