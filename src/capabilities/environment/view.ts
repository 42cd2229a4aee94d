import { lookUp } from '../../kernel/std/index.ts'
import { environmentFacts as facts } from '../../contracts/environment.ts'
import { jobFacts } from '../../contracts/house/jobs.ts'
import type { JsonObject } from '../../kernel/std/index.ts'
import type { Fact, Fold } from '../../kernel/timeline/index.ts'
import type { ClusterMark } from './ports.ts'
import { textOf } from './text-of.ts'
import type { Said } from './watch/transitions.ts'

/** What the timeline says of a service's releases. */
export type ServiceReleases = {
  /** The release that is wished; empty: the files as they lie in its directory. */
  readonly wished: string
  /** The deploy that is under way; null: none. */
  readonly pending: { readonly job: string; readonly before: string; readonly rollback: boolean } | null
  /** Releases that were deployed and found good, oldest first. */
  readonly good: readonly string[]
  /** What those run from that are images, by release; the others are files. */
  readonly images: { readonly [release: string]: string }
}

/** Why nobody may deploy. */
export type DeployLock = { readonly because: string; readonly by: string; readonly since: number }

/** What the timeline says about the environment. */
export type EnvironmentView = {
  /**
   * Number of the last event of the supervisor that became a fact; 0: none. Not the highest: a supervisor that lost its
   * events counts from 1 again.
   */
  readonly lastEvent: number
  /** How far what happened to the tasks of a cluster became facts. */
  readonly cluster: ClusterMark
  /** What was last said about each service since the environment was started. */
  readonly said: { readonly [service: string]: Said }
  readonly releases: { readonly [service: string]: ServiceReleases }
  /** The group that was given up last, by service, and why. */
  readonly refused: { readonly [service: string]: { readonly group: string; readonly because: string } }
  /** The last time that each schedule came, and the times whose runs have not ended yet. */
  readonly fired: {
    readonly [schedule: string]: { readonly at: number; readonly pending: readonly number[] }
  }
  /** The last time that a database got ready: since when its process ran, what is in it, and which version it is. */
  readonly databases: {
    readonly [database: string]: {
      readonly since: number
      readonly names: readonly string[]
      readonly version: string
    }
  }
  /** Whether another Holdfast was said to look after what this one did. */
  readonly isLost: boolean
  /** By service; `*` for all. */
  readonly locks: { readonly [service: string]: DeployLock }
}

/** What a fact says of "no release", where its sentence needs a word. */
export const noRelease = 'no release'

const mostGood = 100
const mostPending = 20
const mostClosed = 200
/** Nothing is known of any cluster. */
export const noCluster: ClusterMark = { id: '', index: 0, open: {}, closed: [] }
const noReleases: ServiceReleases = { wished: '', pending: null, good: [], images: {} }

/** What is known of the releases of a service. */
export function releasesOf({ releases }: EnvironmentView, service: string): ServiceReleases {
  return lookUp(releases, service) ?? noReleases
}

function without<Value>(
  all: { readonly [name: string]: Value },
  name: string,
): { readonly [name: string]: Value } {
  return Object.fromEntries(Object.entries(all).filter(([key]) => key !== name))
}

type Step = (state: EnvironmentView, data: JsonObject, fact: Fact) => EnvironmentView

const saying =
  (said: Said): Step =>
  (state, data) => ({ ...state, said: { ...state.said, [textOf(data, 'service')]: said } })

type Fired = EnvironmentView['fired'][string]

function withFired(
  state: EnvironmentView,
  data: JsonObject,
  change: (due: number, fired: Fired) => Fired,
): EnvironmentView {
  const schedule = textOf(data, 'schedule')
  const before = lookUp(state.fired, schedule) ?? { at: 0, pending: [] }
  return { ...state, fired: { ...state.fired, [schedule]: change(Number(data['due']), before) } }
}

const withReleases = (
  state: EnvironmentView,
  service: string,
  change: (releases: ServiceReleases) => ServiceReleases,
): EnvironmentView => ({
  ...state,
  refused: without(state.refused, service),
  releases: { ...state.releases, [service]: change(releasesOf(state, service)) },
})

/** What was given up stays so: that a release is there, or is not, changes nothing that runs. */
function withImages(
  state: EnvironmentView,
  service: string,
  change: (images: ServiceReleases['images']) => ServiceReleases['images'],
): EnvironmentView {
  const before = releasesOf(state, service)
  const after = { ...before, images: change(before.images) }
  return { ...state, releases: { ...state.releases, [service]: after } }
}

const steps: Readonly<Record<string, Step>> = {
  [facts.started.kind]: (state) => ({ ...state, said: {} }),
  [facts.serviceHealthy.kind]: saying('healthy'),
  [facts.serviceUnhealthy.kind]: saying('unhealthy'),
  [facts.configurationAccepted.kind]: (state) => ({ ...state, refused: {} }),
  [facts.rolloutRefused.kind]: (state, data) => {
    const { service, group, because } = facts.rolloutRefused.data.parse(data)
    return { ...state, refused: { ...state.refused, [service]: { group, because } } }
  },
  [facts.rolledOut.kind]: (state, data) => ({
    ...state,
    refused: without(state.refused, textOf(data, 'service')),
  }),
  [facts.deployBegun.kind]: (state, data) => {
    const { service, release, before: was, job, rollback } = facts.deployBegun.data.parse(data)
    const pending = { job, before: was === noRelease ? '' : was, rollback }
    return withReleases(state, service, (before) => ({ ...before, wished: release, pending }))
  },
  [facts.deployed.kind]: (state, data) => {
    const { service, release } = facts.deployed.data.parse(data)
    return withReleases(state, service, ({ good, images }) => ({
      images,
      wished: release,
      pending: null,
      good: [...good.filter((one) => one !== release), release].slice(-mostGood),
    }))
  },
  [facts.deployFailed.kind]: (state, data) => {
    const { service, before: was } = facts.deployFailed.data.parse(data)
    const wished = was === noRelease ? '' : was
    return withReleases(state, service, (before) => ({ ...before, wished, pending: null }))
  },
  [facts.releaseStored.kind]: (state, data) => {
    const { service, release, image } = facts.releaseStored.data.parse(data)
    if (image === null) return state
    return withImages(state, service, (images) => ({ ...images, [release]: image }))
  },
  [facts.releasesPruned.kind]: (state, data) => {
    const { service, releases } = facts.releasesPruned.data.parse(data)
    return withImages(state, service, (images) => releases.split(', ').reduce(without, images))
  },
  [facts.scheduleFired.kind]: (state, data) =>
    withFired(state, data, (due, { pending }) => ({
      at: due,
      pending: [...pending, due].slice(-mostPending),
    })),
  [facts.scheduleSkipped.kind]: (state, data) =>
    withFired(state, data, (due, { pending }) => ({ at: due, pending })),
  [facts.scheduleDone.kind]: (state, data) =>
    withFired(state, data, (due, { at, pending }) => ({ at, pending: pending.filter((one) => one !== due) })),
  [facts.deploysLocked.kind]: (state, data, { actor, at }) => {
    const { service, because } = facts.deploysLocked.data.parse(data)
    return { ...state, locks: { ...state.locks, [service]: { because, by: actor, since: at } } }
  },
  [facts.databasePrepared.kind]: (state, data) => ({
    ...state,
    databases: without(state.databases, textOf(data, 'database')),
  }),
  [facts.databaseReady.kind]: (state, data) => {
    const { database, since, names, version } = facts.databaseReady.data.parse(data)
    return { ...state, databases: { ...state.databases, [database]: { since, names, version } } }
  },
  [facts.lostToAnother.kind]: (state) => ({ ...state, isLost: true }),
  [facts.takenOver.kind]: (state) => ({ ...state, isLost: false }),
  [facts.deploysUnlocked.kind]: (state, data) => ({
    ...state,
    locks: without(state.locks, textOf(data, 'service')),
  }),
}

/** A job that ended without a word (it was tried too often) leaves nothing pending. */
function afterJob(state: EnvironmentView, job: string): EnvironmentView {
  const found = Object.entries(state.releases).find(([, { pending }]) => pending?.job === job)
  if (found === undefined) return state
  const [service, { pending }] = found
  const wished = pending?.before ?? ''
  return withReleases(state, service, (before) => ({ ...before, wished, pending: null }))
}

/** A task that was said to have started is open until it is said to have ended. */
function afterTask(mark: ClusterMark, task: string, fact: Fact): ClusterMark {
  const [cluster = '', id = ''] = task.split('/')
  const before = mark.id === cluster ? mark : { ...noCluster, id: cluster }
  const index = Math.max(before.index, Number(fact.data?.['event']))
  if (fact.kind === facts.replicaStarted.kind) {
    return { ...before, index, open: { ...before.open, [id]: textOf(fact.data, 'replica') } }
  }
  return {
    ...before,
    index,
    open: without(before.open, id),
    closed: [...before.closed, id].slice(-mostClosed),
  }
}

/** The mark of the source that the fact stems from, moved on. */
function afterEvent(state: EnvironmentView, fact: Fact): EnvironmentView {
  const { event, task } = fact.data ?? {}
  if (typeof event !== 'number') return state
  if (typeof task !== 'string') return { ...state, lastEvent: event }
  return { ...state, cluster: afterTask(state.cluster, task, fact) }
}

/** Fold: timeline -> what we know. */
export const environmentFold: Fold<EnvironmentView> = {
  name: 'environment@5',
  initial: {
    lastEvent: 0,
    cluster: noCluster,
    said: {},
    releases: {},
    refused: {},
    fired: {},
    databases: {},
    isLost: false,
    locks: {},
  },
  step: (state, fact) => {
    if (fact.kind === jobFacts.ended.kind) return afterJob(state, textOf(fact.data, 'job'))
    if (!fact.kind.startsWith('environment.') || fact.data === null) return state
    const next = afterEvent(state, fact)
    return steps[fact.kind]?.(next, fact.data, fact) ?? next
  },
}
