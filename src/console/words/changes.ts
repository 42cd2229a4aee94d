import type {
  DeployHistory,
  Drift,
  EnvironmentPlan,
  EnvironmentStatus,
  RunHistory,
} from '../../contracts/index.ts'
import type { State } from '../parts/basics.tsx'
import { sayCount, sayFor, sayThings } from './format.ts'

type Service = EnvironmentStatus['services'][number]
type Replica = Service['replicas'][number]
type Deploy = DeployHistory['deploys'][number]
type Run = RunHistory['runs'][number]
type Outcome = Deploy['outcome'] | Run['outcome']
type Step = EnvironmentPlan['steps'][number]

const phases: Readonly<Record<Service['phase'], State>> = {
  steady: 'good',
  waiting: 'idle',
  starting: 'busy',
  judging: 'busy',
  moving: 'busy',
  refused: 'bad',
}

const outcomes: Readonly<Record<Outcome, State>> = {
  deployed: 'good',
  done: 'good',
  'under way': 'busy',
  'rolled back': 'bad',
  failed: 'bad',
}

/** How far a service has come on its way, as a mark. */
export const stateOfPhase = (phase: Service['phase']): State => phases[phase]

/** How a deploy or a run ended, as a mark. */
export const stateOfOutcome = (outcome: Outcome): State => outcomes[outcome]

/** A release by its name; without one the files are taken as they lie. */
export const sayRelease = (release: string): string => (release === '' ? 'no release' : release)

/** The releases of a service's replicas, oldest replicas first: `1.4.2`, or `1.4.2 and 1.5.0` on the way; empty: none. */
export function sayReleases({ replicas }: Pick<Service, 'replicas'>): string {
  const names = new Set(replicas.map(({ release }) => release).filter((release) => release !== null))
  if (names.size === 1 && names.has('')) return ''
  return [...names].map(sayRelease).join(' and ')
}

/** What tells a replica from those of another group; empty while there is only one group. */
export function sayGroup(replica: Replica, all: readonly Replica[]): string {
  if (new Set(all.map(({ group }) => group)).size < 2) return ''
  const release = sayRelease(replica.release ?? '')
  const isAlike = all.some((other) => other.group !== replica.group && other.release === replica.release)
  return isAlike ? `${release}, group ${replica.group.slice(0, 8)}` : release
}

/** The release that a group of a service runs; empty: it is not known. */
export function releaseOfGroup(
  services: readonly Service[],
  { service, group }: { readonly service: string; readonly group: string },
): string {
  const { replicas } = services.find(({ name }) => name === service) ?? { replicas: [] }
  const found = replicas.find((replica) => replica.group === group)?.release
  return found === undefined || found === null ? '' : sayRelease(found)
}

/** Why a service may not be deployed: its own lock, or the one on all; undefined: it may. */
export function lockOf(
  locks: DeployHistory['locks'],
  service: string,
): DeployHistory['locks'][number] | undefined {
  return locks.find((lock) => lock.service === '*' || lock.service === service)
}

/** What a lock is on, in words. */
export const sayLocked = (service: string): string => (service === '*' ? 'all services' : service)

/** What a deploy will do, before it is asked for. */
export function planOfDeploy(input: {
  readonly service: string
  readonly version: string
  readonly from: string
  readonly running: string
}): readonly string[] {
  const { service, version, from, running } = input
  const files = from === '' ? 'The files in its directory, as they are,' : `The files of ${from}`
  return [
    `${files} are stored as release ${version} of ${service}, which runs ${sayRelease(running)} now.`,
    'The jobs that the environment file names before a deploy run with the new files; one that fails stops it.',
    `The first new replicas are judged beside the old ones by failed requests and p95. If they are worse, ${service} stays with ${sayRelease(running)} by itself.`,
    'If they are not, the others follow, and the old ones are stopped when their last request has ended.',
  ]
}

/** What going back will do, before it is asked for. */
export function planOfRollback(service: string, running: string, back: string): readonly string[] {
  return [
    `${service} goes from ${sayRelease(running)} back to ${back}, whose files are kept.`,
    'New replicas start beside the old ones. They are not judged again, since the release was good; those that do not get healthy are given up.',
    'The old ones are stopped when their last request has ended. No job runs before or after, so what a migration changed stays changed.',
    'A service with a fixed port or an exclusive volume is away for a moment.',
  ]
}

/** A number that a plan changes: `3`, or `3 → 5`. */
export const sayChange = (before: number, after: number): string =>
  before === after ? sayCount(after) : `${sayCount(before)} → ${sayCount(after)}`

/** What one step does to replicas and memory; empty: nothing. */
export function sayAmounts({ replicas, memoryMiB }: Step): string {
  const said = (change: Step['replicas'], unit: string): string[] =>
    change.before === change.after ? [] : [`${sayChange(change.before ?? 0, change.after ?? 0)} ${unit}`]
  return [...said(replicas, 'replicas'), ...said(memoryMiB, 'MiB')].join(', ')
}

/** What a whole plan does to replicas and memory. */
export function sayTotals({ replicas, memoryMiB }: EnvironmentPlan): string {
  const memory =
    memoryMiB.before === 0 && memoryMiB.after === 0
      ? 'no replica has a bound on memory'
      : `those with a bound may use ${sayChange(memoryMiB.before, memoryMiB.after)} MiB of the machine's ${sayCount(memoryMiB.machine)}`
  return `${sayChange(replicas.before, replicas.after)} replicas; ${memory}`
}

/** How control begins to say that the file differs from what was applied. */
const unappliedWords = 'the file has changed and was not applied'

/** What has drifted, without what a plan shows anyway: the changes of the file that were not applied, which are counted. */
export function splitDrift(items: Drift['items']): {
  readonly items: Drift['items']
  readonly unapplied: number
} {
  const drifted = items.filter(({ says }) => !says.startsWith(unappliedWords))
  return { items: drifted, unapplied: items.length - drifted.length }
}

const mostSteps = 8

/** What applying a plan will do, before it is asked for. */
export function planOfApply({ steps, destroys }: EnvironmentPlan): readonly string[] {
  const more = steps.length - mostSteps
  return [
    ...steps.slice(0, mostSteps).map(({ verb, object, says }) => `${verb} ${object}: ${says}`),
    ...(more > 0 ? [`and ${sayThings(more, 'more change', 'more changes')}`] : []),
    'Control starts anew with the changed file; edge and services run on. It is refused if the file or what runs has moved since.',
    ...(destroys.length === 0 ? [] : [`The data of ${destroys.join(' and ')} is lost for good.`]),
  ]
}

/** When something comes that lies ahead: `in 6 h`; `now` when it is due. */
export const sayIn = (at: number, now: number): string => (at <= now ? 'now' : `in ${sayFor(now, at)}`)

/** The answer of the page on jobs and schedules: how the last run went, and what comes next. */
export function answerRuns({ says, schedules }: RunHistory, now: number): string {
  const [first] = schedules
    .flatMap(({ schedule, next }) => (next === null ? [] : [{ schedule, next }]))
    .sort((a, b) => a.next - b.next)
  const next = first === undefined ? '' : ` ${first.schedule} is next, ${sayIn(first.next, now)}.`
  return `${says.replace(/\.?$/, '.')}${next}`
}
