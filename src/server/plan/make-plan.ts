import { environment as environmentRoom } from '../../capabilities/environment/index.ts'
import type { EnvironmentPlan, EnvironmentStatus, PlanStep } from '../../contracts/environment.ts'
import { contentHash, lookUp } from '../../kernel/std/index.ts'
import { runsContainers, type LoadedEnvironment } from '../composition/index.ts'
import { differencesOf } from './differences.ts'
import { objectsOf, type PlannedObject } from './objects.ts'

/** What a plan is made from. */
export interface PlanScene {
  /** What was applied last. */
  readonly accepted: LoadedEnvironment
  /** The file as it is now. */
  readonly fresh: LoadedEnvironment
  /** What runs. */
  readonly status: EnvironmentStatus
  /** Release that each service is wished to run; absent: its files as they lie. */
  readonly releases: Readonly<Record<string, string>>
  /** Memory of this machine. */
  readonly machineMiB: number
}

type Services = LoadedEnvironment['environment']['services']
type Amounts = Pick<PlanStep, 'replicas' | 'memoryMiB'>

const nothing = { before: null, after: null }
/** Kinds of objects that hold data of users. */
const holdsData: ReadonlySet<string> = new Set(['volume'])

/** How many replicas of a service there are to be, and what they may use together. */
function amountsOf(services: Services, name: string): { replicas: number | null; memoryMiB: number | null } {
  const service = lookUp(services, name)
  if (service === undefined || service.address !== undefined) return { replicas: null, memoryMiB: null }
  const { memoryMiB } = service.resources
  const replicas = service.replicas.min
  return { replicas, memoryMiB: memoryMiB === undefined ? null : memoryMiB * replicas }
}

function amounts(scene: PlanScene, object: string): Amounts {
  const [kind, name = ''] = object.split(' ')
  if (kind !== 'service') return { replicas: nothing, memoryMiB: nothing }
  const before = amountsOf(scene.accepted.environment.services, name)
  const after = amountsOf(scene.fresh.environment.services, name)
  return {
    replicas: { before: before.replicas, after: after.replicas },
    memoryMiB: { before: before.memoryMiB, after: after.memoryMiB },
  }
}

/** Group of a service under a file; null: it has none. Variables of the machine and of the house are the same for both. */
function groupUnder(
  { environment, directory }: LoadedEnvironment,
  name: string,
  release: string,
): string | null {
  const wished = environmentRoom.wishedAlone(
    environment,
    { directory, hostVariables: {}, containers: runsContainers(environment) },
    { [name]: release },
  )
  return wished.find((service) => service.name === name)?.hash ?? null
}

function sayReplaced(scene: PlanScene, name: string): string {
  const { replicas, port, deploy } = lookUp(scene.fresh.environment.services, name) ?? {}
  const count = replicas?.min ?? 0
  const all = count === 1 ? 'its replica is' : `its ${count} replicas are`
  if (port !== undefined)
    return `${all} replaced in place: it is away for a moment, for it insists on port ${port}`
  return `${all} replaced, up to ${deploy?.surge ?? 1} more running meanwhile, without a request lost`
}

/** What happens to a service that both files name. */
function changedService(scene: PlanScene, name: string): Pick<PlanStep, 'verb' | 'says'> {
  const release = lookUp(scene.releases, name) ?? ''
  const before = groupUnder(scene.accepted, name, release)
  const after = groupUnder(scene.fresh, name, release)
  if (before !== after && after !== null && before !== null) {
    return { verb: 'replace', says: sayReplaced(scene, name) }
  }
  const { replicas } = amounts(scene, `service ${name}`)
  if (replicas.before !== replicas.after) {
    return { verb: 'scale', says: `from ${replicas.before ?? 0} to ${replicas.after ?? 0} replicas` }
  }
  return { verb: 'change', says: 'its replicas are left alone' }
}

const nameOf = (before: PlannedObject | undefined, after: PlannedObject | undefined): string =>
  (after ?? before)?.name ?? ''
/** Whether a service that the files say the same of is run by another engine. */
function isMoved({ accepted, fresh }: PlanScene, object: string): boolean {
  const [kind, name = ''] = object.split(' ')
  const isThere = kind === 'service' && lookUp(fresh.environment.services, name)?.address === undefined
  return isThere && runsContainers(accepted.environment) !== runsContainers(fresh.environment)
}

function stepOf(
  scene: PlanScene,
  before: PlannedObject | undefined,
  after: PlannedObject | undefined,
): PlanStep[] {
  const differences = differencesOf(before?.value, after?.value)
  const object = nameOf(before, after)
  if (differences.length === 0 && !isMoved(scene, object)) return []
  const common = { object, differences: [...differences], ...amounts(scene, object), destroys: false }
  const [kind = '', ...words] = object.split(' ')
  const name = words.join(' ')
  if (before === undefined) return [{ ...common, verb: 'create', says: `${object} is new` }]
  if (after !== undefined) return [{ ...common, ...changed(scene, kind, name) }]
  return [{ ...common, verb: 'remove', says: `${object} goes`, destroys: holdsData.has(kind) }]
}

function changed(scene: PlanScene, kind: string, name: string): Pick<PlanStep, 'verb' | 'says'> {
  if (kind === 'service') return changedService(scene, name)
  return { verb: 'change', says: `${kind}${name === '' ? '' : ` ${name}`} is changed` }
}

/** What was given up comes again when the same file is applied once more. */
function retries({ status, fresh }: PlanScene, planned: ReadonlySet<string>): readonly PlanStep[] {
  return status.services
    .filter(({ name, phase }) => phase === 'refused' && Object.hasOwn(fresh.environment.services, name))
    .filter(({ name }) => !planned.has(`service ${name}`))
    .map(({ name, rollout, wanted }) => ({
      object: `service ${name}`,
      verb: 'replace' as const,
      says: `its specification is tried once more (${rollout})`,
      differences: [],
      replicas: { before: wanted, after: wanted },
      memoryMiB: nothing,
      destroys: false,
    }))
}

function orderOf({ services }: LoadedEnvironment['environment']): readonly string[] {
  const needs = Object.fromEntries(Object.entries(services).map(([name, service]) => [name, service.needs]))
  return environmentRoom.orderByNeeds(needs).order
}

function stepsOf(scene: PlanScene): readonly PlanStep[] {
  const before = objectsOf(scene.accepted.environment, orderOf(scene.accepted.environment))
  const after = objectsOf(scene.fresh.environment, orderOf(scene.fresh.environment))
  const there = new Map(before.map((object) => [object.name, object]))
  const kept = new Set(after.map(({ name }) => name))
  const made = after.flatMap((object) => stepOf(scene, there.get(object.name), object))
  const gone = before.filter(({ name }) => !kept.has(name)).toReversed()
  const removed = gone.flatMap((object) => stepOf(scene, object, undefined))
  return [...made, ...removed, ...retries(scene, new Set([...made, ...removed].map(({ object }) => object)))]
}

/** What runs, as far as a plan builds on it: which groups there are, not how they are just now. */
function worldOf({ status, releases }: PlanScene): Record<string, string> {
  return Object.fromEntries(
    status.services.map(({ name, replicas, phase }) => {
      const living = replicas.filter(({ state }) => state === 'running' || state === 'starting')
      const groups = [...new Set(living.map(({ group }) => group))].toSorted()
      return [name, `${groups.join(',')} ${phase} ${lookUp(releases, name) ?? ''}`]
    }),
  )
}

function totalsOf({
  accepted,
  fresh,
  machineMiB,
}: PlanScene): Pick<EnvironmentPlan, 'replicas' | 'memoryMiB'> {
  const total = (loaded: LoadedEnvironment, what: 'replicas' | 'memoryMiB'): number => {
    const { services } = loaded.environment
    return Object.keys(services).reduce((sum, name) => sum + (amountsOf(services, name)[what] ?? 0), 0)
  }
  return {
    replicas: { before: total(accepted, 'replicas'), after: total(fresh, 'replicas') },
    memoryMiB: {
      before: total(accepted, 'memoryMiB'),
      after: total(fresh, 'memoryMiB'),
      machine: machineMiB,
    },
  }
}

function sayPlan(steps: readonly PlanStep[]): string {
  if (steps.length === 0) return 'Nothing would change: what runs is what the file says'
  const count = (verb: PlanStep['verb']): number => steps.filter((step) => step.verb === verb).length
  const parts = (['create', 'replace', 'scale', 'change', 'remove'] as const)
    .filter((verb) => count(verb) > 0)
    .map((verb) => `${count(verb)} to ${verb}`)
  return `${steps.length === 1 ? '1 thing' : `${steps.length} things`} would change: ${parts.join(', ')}`
}

function notesOf(totals: ReturnType<typeof totalsOf>): string[] {
  const { after, machine } = totals.memoryMiB
  return after > machine
    ? [`replicas may use ${after} MiB together, and this machine has ${machine} MiB`]
    : []
}

/** Compares the file with what was applied and with what runs; pure. */
export function makePlan(scene: PlanScene): EnvironmentPlan {
  const steps = [...stepsOf(scene)]
  const totals = totalsOf(scene)
  const world = worldOf(scene)
  return {
    hash: contentHash({ before: scene.accepted.hash, after: scene.fresh.hash, world }),
    says: sayPlan(steps),
    steps,
    ...totals,
    destroys: steps.filter(({ destroys }) => destroys).map(({ object }) => object),
    notes: notesOf(totals),
  }
}
