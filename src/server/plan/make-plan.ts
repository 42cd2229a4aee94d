import { environment as environmentRoom } from '../../capabilities/environment/index.ts'
import type { EnvironmentPlan, EnvironmentStatus, PlanStep } from '../../contracts/environment.ts'
import { contentHash, lookUp, type Json } from '../../kernel/std/index.ts'
import { runsContainers, type LoadedEnvironment } from '../composition/index.ts'
import { differencesOf } from './differences.ts'
import { objectsOf, type PlannedObject } from './objects.ts'
import { sayBinding, sayChangedVolume, sayLeftBehind } from './volumes.ts'

/** What a plan is made from. */
export interface PlanScene {
  /** What was applied last. */
  readonly accepted: LoadedEnvironment
  /** The file as it is now. */
  readonly fresh: LoadedEnvironment
  /** What runs. */
  readonly status: EnvironmentStatus
  /** Releases that are wished and are images, by service. */
  readonly images: Readonly<Record<string, string>>
  /** Volumes that go from the file and whose files stay where they are, and why; absent: none. */
  readonly kept?: Readonly<Record<string, string>>
  /** Memory of this machine. */
  readonly machineMiB: number
}

type Environment = LoadedEnvironment['environment']
type Database = Environment['databases'][string]
type Amounts = Pick<PlanStep, 'replicas' | 'memoryMiB'>
interface Amount {
  readonly replicas: number | null
  readonly memoryMiB: number | null
}

const nothing = { before: null, after: null }

/** Whether an object holds data of users that are gone with it: a volume does, and a database that we keep. */
function holdsData(kind: string, name: string, { databases }: Environment): boolean {
  const database = kind === 'database' ? lookUp(databases, name) : undefined
  return kind === 'volume' || (database !== undefined && environmentRoom.isManagedDatabase(database))
}

/** How many replicas of a service there are to be, and what they may use together. */
function amountsOf(environment: Environment, kind: string, name: string): Amount {
  const service = kind === 'service' ? lookUp(environment.services, name) : undefined
  const database = kind === 'database' ? lookUp(environment.databases, name) : undefined
  const { memoryMiB } = (service ?? database)?.resources ?? {}
  const replicas = service === undefined ? serversOf(database) : replicasOf(service)
  return { replicas, memoryMiB: memoryMiB === undefined || replicas === null ? null : memoryMiB * replicas }
}

const replicasOf = ({ address, replicas }: Environment['services'][string]): number | null =>
  address === undefined ? replicas.min : null

function serversOf(database: Database | undefined): number | null {
  if (database === undefined || database.engine === 'sqlite') return null
  return environmentRoom.isManagedDatabase(database) ? 1 : null
}

function amounts(scene: PlanScene, object: string): Amounts {
  const [kind = '', name = ''] = object.split(' ')
  const before = amountsOf(scene.accepted.environment, kind, name)
  const after = amountsOf(scene.fresh.environment, kind, name)
  return {
    replicas: { before: before.replicas, after: after.replicas },
    memoryMiB: { before: before.memoryMiB, after: after.memoryMiB },
  }
}

/** Group of a service under a file; null: it has none. Variables of the machine and of the house are the same for both. */
function groupUnder(
  { environment, directory, contents = {} }: LoadedEnvironment,
  name: string,
  { status, images }: PlanScene,
): string | null {
  const running = Object.fromEntries(status.services.map((service) => [service.name, service.release]))
  const wished = environmentRoom.wishedAlone(
    environment,
    { directory, hostVariables: {}, contents, containers: runsContainers(environment) },
    { running, images },
  )
  return wished.find((service) => service.name === name)?.hash ?? null
}

function sayReplaced(scene: PlanScene, name: string): string {
  const { replicas, port, deploy } = lookUp(scene.fresh.environment.services, name) ?? {}
  const count = replicas?.min ?? 0
  const all = count === 1 ? 'its replica is' : `its ${count} replicas are`
  if (port !== undefined && !runsContainers(scene.fresh.environment))
    return `${all} replaced in place: it is away for a moment, for it insists on port ${port}`
  return `${all} replaced, up to ${deploy?.surge ?? 1} more running meanwhile, without a request lost`
}

/** What happens to a service that both files name. */
function changedService(scene: PlanScene, name: string): Pick<PlanStep, 'verb' | 'says'> {
  const before = groupUnder(scene.accepted, name, scene)
  const after = groupUnder(scene.fresh, name, scene)
  if (before !== after && after !== null && before !== null) {
    return { verb: 'replace', says: sayReplaced(scene, name) }
  }
  const { replicas } = amounts(scene, `service ${name}`)
  if (replicas.before !== replicas.after) {
    return { verb: 'scale', says: `from ${replicas.before ?? 0} to ${replicas.after ?? 0} replicas` }
  }
  return { verb: 'change', says: 'its replicas are left alone' }
}

/** What makes another process of a database, and does not only say how long it is waited for or what is to be in it. */
function processOf({ engine, image, settings, resources, stopTimeout }: Database): Json {
  return JSON.parse(JSON.stringify({ engine, image, settings, resources, stopTimeout })) as Json
}

/** Who begins or ceases to name the version that its data are of changes nothing. */
const isOtherVersion = ({ version: before }: Database, { version: after }: Database): boolean =>
  before !== undefined && after !== undefined && before !== after

/** A database in a server is never dropped: who no longer names one keeps what is in it. */
function sayNamesLeft({ names: before = [] }: Database, { names: after = [] }: Database): string {
  const left = before.filter((name) => !after.includes(name))
  return left.length === 0
    ? ''
    : `; ${left.join(', ')} stays in it with its data, and is no longer looked after`
}

/** What happens to a database that Holdfast runs under both files. */
function changedServer(before: Database, after: Database): Pick<PlanStep, 'verb' | 'says'> {
  if (before.engine !== after.engine || isOtherVersion(before, after)) {
    // What holds data of another kind is refused before a plan is made: nothing was made of it yet.
    const kind = `${after.engine} ${after.version ?? ''}`.trim()
    return { verb: 'replace', says: `it is made anew, of ${kind}, for it holds nothing yet` }
  }
  if (contentHash(processOf(before)) === contentHash(processOf(after))) {
    return { verb: 'change', says: `it goes on running${sayNamesLeft(before, after)}` }
  }
  return { verb: 'replace', says: 'it is replaced in place: it is away for a moment, and its data stay' }
}

/** What happens to a database that both files name. */
function changedDatabase({ accepted, fresh }: PlanScene, name: string): Pick<PlanStep, 'verb' | 'says'> {
  const [before, after] = [
    lookUp(accepted.environment.databases, name),
    lookUp(fresh.environment.databases, name),
  ]
  const [was, is] = [serversOf(before), serversOf(after)]
  if (before === undefined || after === undefined || was === null || is === null) {
    const left = was !== null && is === null ? '; its data are left where they are' : ''
    return { verb: 'change', says: `who reaches it finds it at another address${left}` }
  }
  return changedServer(before, after)
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
  if (after === undefined) return [{ ...common, ...removed(scene, object) }]
  const [kind = '', ...words] = object.split(' ')
  const name = words.join(' ')
  const where = kind === 'service' ? sayBinding(scene.fresh.environment, name) : ''
  if (before === undefined) return [{ ...common, verb: 'create', says: `${object} is new${where}` }]
  const { verb, says } = changed(scene, kind, name)
  return [{ ...common, verb, says: verb === 'change' ? says : `${says}${where}` }]
}

/** What becomes of a thing that the file names no more. */
function removed(scene: PlanScene, object: string): Pick<PlanStep, 'verb' | 'says' | 'destroys'> {
  const [kind = '', ...words] = object.split(' ')
  const name = words.join(' ')
  const why = kind === 'volume' ? lookUp(scene.kept ?? {}, name) : undefined
  if (why === undefined) {
    const destroys = holdsData(kind, name, scene.accepted.environment)
    return { verb: 'remove', says: `${object} goes`, destroys }
  }
  return { verb: 'remove', says: `${object} goes from the file; its files stay: ${why}`, destroys: false }
}

function changed(scene: PlanScene, kind: string, name: string): Pick<PlanStep, 'verb' | 'says'> {
  if (kind === 'service') return changedService(scene, name)
  if (kind === 'database') return changedDatabase(scene, name)
  if (kind === 'volume') {
    const says = sayChangedVolume(scene.accepted.environment, scene.fresh.environment, name)
    return { verb: 'change', says }
  }
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

function orderOf(environment: Environment): readonly string[] {
  const { order } = environmentRoom.orderByNeeds(environmentRoom.needsOf(environment))
  return order.filter((name) => Object.hasOwn(environment.services, name))
}

function stepsOf(scene: PlanScene): readonly PlanStep[] {
  const before = objectsOf(scene.accepted, orderOf(scene.accepted.environment))
  const after = objectsOf(scene.fresh, orderOf(scene.fresh.environment))
  const there = new Map(before.map((object) => [object.name, object]))
  const kept = new Set(after.map(({ name }) => name))
  const made = after.flatMap((object) => stepOf(scene, there.get(object.name), object))
  const gone = before.filter(({ name }) => !kept.has(name)).toReversed()
  const removed = gone.flatMap((object) => stepOf(scene, object, undefined))
  return [...made, ...removed, ...retries(scene, new Set([...made, ...removed].map(({ object }) => object)))]
}

const going: ReadonlySet<string> = new Set(['stopping', 'stopped'])
/** What a rollout on its way, or given up, says of what runs; that a replica is not well yet says nothing. */
const telling: ReadonlySet<string> = new Set(['judging', 'moving', 'refused'])

/** What runs, as far as a plan builds on it: which groups there are, not how they are just now. */
function worldOf({ status }: PlanScene): Record<string, string> {
  return Object.fromEntries(
    status.services.map(({ name, replicas, phase, release }) => {
      const staying = replicas.filter(({ state }) => !going.has(state))
      const groups = [...new Set(staying.map(({ group }) => group))].toSorted()
      const told = telling.has(phase) ? phase : ''
      return [name, `${groups.join(',')} ${told} ${release}`]
    }),
  )
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)

function allAmounts({ environment }: LoadedEnvironment): readonly Amount[] {
  return [
    ...Object.keys(environment.services).map((name) => amountsOf(environment, 'service', name)),
    ...Object.keys(environment.databases).map((name) => amountsOf(environment, 'database', name)),
  ]
}

function totalsOf({
  accepted,
  fresh,
  machineMiB,
}: PlanScene): Pick<EnvironmentPlan, 'replicas' | 'memoryMiB'> {
  const [before, after] = [allAmounts(accepted), allAmounts(fresh)]
  const total = (what: keyof Amount) => {
    const [was, is] = [before, after].map((all) => sum(all.map((amount) => amount[what] ?? 0)))
    return { before: was ?? 0, after: is ?? 0, difference: (is ?? 0) - (was ?? 0) }
  }
  const memoryMiB = total('memoryMiB')
  const unbounded = sum(after.map((amount) => (amount.memoryMiB === null ? (amount.replicas ?? 0) : 0)))
  return {
    replicas: { ...total('replicas'), unbounded },
    memoryMiB: { ...memoryMiB, machine: machineMiB, left: machineMiB - memoryMiB.after },
  }
}

/** What replicas that are started before the old ones go may use beside them, all together. */
function surgeMiB({ fresh }: PlanScene, steps: readonly PlanStep[]): number {
  const { services } = fresh.environment
  const replaced = steps.filter(({ verb }) => verb === 'replace').map(({ object }) => object.split(' '))
  return sum(
    replaced.map(([kind, name = '']) => {
      const service = kind === 'service' ? lookUp(services, name) : undefined
      return service?.port === undefined
        ? (service?.deploy.surge ?? 0) * (service?.resources.memoryMiB ?? 0)
        : 0
    }),
  )
}

function sayPlan(steps: readonly PlanStep[]): string {
  if (steps.length === 0) return 'Nothing would change: what runs is what the file says'
  const count = (verb: PlanStep['verb']): number => steps.filter((step) => step.verb === verb).length
  const parts = (['create', 'replace', 'scale', 'change', 'remove'] as const)
    .filter((verb) => count(verb) > 0)
    .map((verb) => `${count(verb)} to ${verb}`)
  return `${steps.length === 1 ? '1 thing' : `${steps.length} things`} would change: ${parts.join(', ')}`
}

function notesOf({ memoryMiB }: ReturnType<typeof totalsOf>, meanwhileMiB: number): string[] {
  const { after, before, machine } = memoryMiB
  if (after > machine) return [`replicas may use ${after} MiB together, and this machine has ${machine} MiB`]
  const peak = Math.max(before, after) + meanwhileMiB
  return peak > machine
    ? [
        `while old and new replicas run side by side they may use ${peak} MiB, and this machine has ${machine} MiB`,
      ]
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
    notes: [
      ...notesOf(totals, surgeMiB(scene, steps)),
      ...sayLeftBehind(scene.accepted.environment, scene.fresh.environment),
    ],
  }
}
