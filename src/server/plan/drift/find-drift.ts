import type { Drift, EnvironmentPlan, EnvironmentStatus } from '../../../contracts/environment.ts'
import type { ReplicaStatus, Tampering } from '../../../contracts/supervisor.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { LoadedEnvironment } from '../../composition/index.ts'
import type { DriftItem, Seen } from './item.ts'
import { driftOfDatabase, type DatabaseScene } from './of-databases.ts'
import { driftOfEdge, type EdgeScene } from './of-edge.ts'
import {
  driftOfRelease,
  driftOfVolumes,
  leftOverFiles,
  leftOverReplicas,
  type GoneSince,
  type ReleaseScene,
  type Rooms,
} from './of-files.ts'
import { driftOfReplicas } from './of-replicas.ts'

/** What drift is found in. Times are milliseconds since the epoch. */
export interface DriftScene {
  /** What was accepted last. */
  readonly accepted: LoadedEnvironment
  readonly status: EnvironmentStatus
  /** Null: the file cannot be read or is wrong; `trouble` says why. */
  readonly plan: EnvironmentPlan | null
  readonly trouble: string
  /** When the file was modified, if it was since it was accepted. */
  readonly fileSince: number | null
  /** Last fact about each service that says it is not as it should be. */
  readonly since: Readonly<Record<string, number>>
  readonly edge: EdgeScene
  readonly replicas: Seen<readonly ReplicaStatus[]>
  readonly tampering: Seen<Tampering>
  readonly databases: readonly DatabaseScene[]
  readonly releases: readonly ReleaseScene[]
  readonly rooms: Seen<Rooms>
  readonly goneSince: GoneSince
  /** What could not be looked at, a sentence each. */
  readonly notes: readonly string[]
  /** Objects to pass over; `*` stands for any characters. */
  readonly ignore: readonly string[]
}

/** What is on its way is no drift: it is being mended. */
const underWay = new Set(['waiting', 'starting', 'judging', 'moving'])

function ofServices({ accepted, status, since }: DriftScene): readonly DriftItem[] {
  const { databases } = accepted.environment
  return status.services
    .filter(({ state, phase }) => phase === 'refused' || (state !== 'healthy' && !underWay.has(phase)))
    .map(({ name, says, phase, rollout }) => ({
      object: `${Object.hasOwn(databases, name) ? 'database' : 'service'} ${name}`,
      says: phase === 'refused' ? rollout : says,
      since: lookUp(since, name) ?? null,
    }))
}

function ofFile({ plan, trouble, fileSince: since }: DriftScene): readonly DriftItem[] {
  if (plan === null) return [{ object: 'environment file', says: trouble, since }]
  return plan.steps
    .filter(({ differences }) => differences.length > 0)
    .map(({ object, says }) => ({
      object,
      says: `the file has changed and was not applied: ${says}`,
      since,
    }))
}

function ofEngine({ accepted, replicas, tampering, since, goneSince }: DriftScene): readonly DriftItem[] {
  const { environment } = accepted
  return [
    ...('value' in tampering ? driftOfReplicas(tampering.value, since) : []),
    ...('value' in replicas ? leftOverReplicas(environment, replicas.value, goneSince) : []),
  ]
}

function ofRooms({ accepted: { environment }, rooms, goneSince }: DriftScene): readonly DriftItem[] {
  if ('trouble' in rooms) return []
  return [...driftOfVolumes(environment, rooms.value), ...leftOverFiles(environment, rooms.value, goneSince)]
}

/** A pattern of objects: `*` stands for any characters. */
function matcherOf(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

function sayDrift(count: number, ignored: number): string {
  const passed = ignored === 0 ? '' : ` (${ignored} more passed over)`
  if (count === 0)
    return `Nothing has drifted: what runs is what was applied, and the file says the same${passed}`
  return `${count === 1 ? '1 thing differs' : `${count} things differ`} from what was applied${passed}`
}

/** What differs between what was applied and what is; pure. */
export function findDrift(scene: DriftScene): Drift {
  const found = [
    ...ofServices(scene),
    ...scene.databases.flatMap(driftOfDatabase),
    ...driftOfEdge(scene.edge),
    ...scene.releases.flatMap(driftOfRelease),
    ...ofEngine(scene),
    ...ofRooms(scene),
    ...ofFile(scene),
  ]
  const patterns = scene.ignore.map(matcherOf)
  const items = found.filter(({ object }) => !patterns.some((pattern) => pattern.test(object)))
  const troubles = [scene.replicas, scene.tampering, scene.rooms].flatMap((seen) =>
    'trouble' in seen ? [seen.trouble] : [],
  )
  return {
    says: sayDrift(items.length, found.length - items.length),
    items,
    notes: [...new Set([...troubles, ...scene.notes])],
  }
}
