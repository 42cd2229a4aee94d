import { environmentOperations, type Drift, type EnvironmentStatus } from '../../../contracts/environment.ts'
import { plainError } from '../../../kernel/std/index.ts'
import { planNow, type PlanGround } from '../plan-now.ts'
import { edgeSince, goneSinceFrom, illSince } from './facts.ts'
import { findDrift, type DriftScene } from './find-drift.ts'
import type { Seen } from './item.ts'
import type { Looks } from './looks.ts'
import type { DatabaseScene } from './of-databases.ts'
import { enforcesWanted, wantedPolicy, type EdgeScene } from './of-edge.ts'
import type { ReleaseScene } from './of-files.ts'

/** What drift stands on. */
export interface DriftGround extends PlanGround {
  readonly looks: Looks
}

/** A policy may be on its way to the edge: so often it is looked again, and so long is waited between. */
const edgeLooks = 4
const edgePauseMs = 500
/** For all releases together; what is not compared by then is said not to have been. */
const releasesWithinMs = 15_000

async function seen<Value>(what: string, look: () => Promise<Value>): Promise<Seen<Value>> {
  try {
    return { value: await look() }
  } catch (error) {
    return { trouble: `${what}: ${plainError(error).message}` }
  }
}

async function edgeNow(
  { looks, loaded, context }: DriftGround,
  { processes }: EnvironmentStatus,
): Promise<EdgeScene> {
  const wanted = wantedPolicy(loaded)
  const isRunning = processes.some(({ name, state }) => name === 'edge' && state === 'running')
  for (let round = 1; ; round++) {
    const { refused, diedAt } = await edgeSince(context)
    const look = await seen('the edge', () => looks.edge())
    const scene = { wanted, seen: look, refused, diedAt: isRunning ? null : diedAt }
    if (round === edgeLooks || !('value' in scene.seen) || scene.refused !== null) return scene
    if (enforcesWanted(scene)) return scene
    await context.clock.sleep(edgePauseMs)
  }
}

async function databasesNow(
  { looks, context }: DriftGround,
  replicas: DriftScene['replicas'],
): Promise<readonly DatabaseScene[]> {
  const { databases } = await context.call(environmentOperations.databases, {})
  const all = 'value' in replicas ? replicas.value : []
  return Promise.all(
    databases
      .filter(({ managed }) => managed)
      .map(async (view) => ({
        view,
        record: await seen('its record', () => looks.record(view.name)),
        directory: await looks.directory(`databases/${view.name}`),
        replica: all.find(({ service }) => service === view.name) ?? null,
      })),
  )
}

type Running = Pick<ReleaseScene, 'service' | 'release'>

/** Releases that replicas run. */
function runningReleases({ services }: EnvironmentStatus): readonly Running[] {
  return services.flatMap(({ name, replicas }) => {
    const releases = new Set(replicas.map(({ release }) => release ?? ''))
    return [...releases].filter((release) => release !== '').map((release) => ({ service: name, release }))
  })
}

interface Compared {
  readonly releases: readonly ReleaseScene[]
  readonly notes: readonly string[]
}

async function releasesNow({ looks }: DriftGround, status: EnvironmentStatus): Promise<Compared> {
  const signal = AbortSignal.timeout(releasesWithinMs)
  const releases: ReleaseScene[] = []
  const notes: string[] = []
  for (const place of runningReleases(status)) {
    const look = await seen('its files', () => looks.release(place, signal))
    const what = `release ${place.release} of ${place.service}`
    if ('value' in look) releases.push({ ...place, look: look.value })
    else if (signal.aborted) notes.push(`${what} was not compared: there is more than can be read in 15 s`)
    else notes.push(`${what} was not compared: ${look.trouble}`)
  }
  return { releases, notes }
}

const roomsNow = async (looks: Looks) => ({
  releases: await looks.directory('releases'),
  volumes: await looks.directory('volumes'),
  databases: await looks.directory('databases'),
})

async function fileNow(
  ground: DriftGround,
  status: EnvironmentStatus,
): Promise<Pick<DriftScene, 'plan' | 'trouble' | 'fileSince'>> {
  const { looks, loaded } = ground
  const [modifiedAt, acceptedAt] = await Promise.all([looks.fileModifiedAt(loaded.file), looks.acceptedAt()])
  const fileSince = modifiedAt !== null && modifiedAt > (acceptedAt ?? 0) ? modifiedAt : null
  try {
    const { plan } = await planNow(ground, status)
    return { plan, trouble: '', fileSince }
  } catch (error) {
    return { plan: null, trouble: plainError(error).message, fileSince }
  }
}

/** Looks at everything that the file describes, and says what is not as it was applied. Touches nothing. */
export async function driftNow(ground: DriftGround, ignore: readonly string[]): Promise<Drift> {
  const { context, looks, loaded } = ground
  const status = await context.call(environmentOperations.status, {})
  const replicas = await seen('what the engine runs', () => looks.replicas())
  const { releases, notes } = await releasesNow(ground, status)
  return findDrift({
    accepted: loaded,
    status,
    ...(await fileNow(ground, status)),
    since: await illSince(context, status),
    edge: await edgeNow(ground, status),
    replicas,
    tampering: await seen('processes and their limits', () => looks.tampering()),
    databases: await databasesNow(ground, replicas),
    releases,
    rooms: await seen('the data directory', () => roomsNow(looks)),
    goneSince: await goneSinceFrom(context),
    notes,
    ignore,
  })
}
