import type { DeployHistory, Drift, EnvironmentStatus, Job } from '../../contracts/index.ts'
import type { LimitView, RouteView, TrafficView } from '../data/answers.ts'
import type { Piece } from '../parts/answer.tsx'
import type { State } from '../parts/basics.tsx'
import { placeOf } from '../router/router.ts'
import { splitDrift } from './changes.ts'
import { sayAgo, sayCount, sayFor, sayRate, sayThings } from './format.ts'

type Service = EnvironmentStatus['services'][number]
type Replica = Service['replicas'][number]

const serviceStates: Readonly<Record<Service['state'], State>> = {
  healthy: 'good',
  starting: 'busy',
  degraded: 'warn',
  down: 'bad',
}

/** The state of a service or of the environment as a mark. */
export const stateOfService = (state: Service['state']): State => serviceStates[state]

/** The state of a replica as a mark. */
export function stateOfReplica({ state, healthy }: Pick<Replica, 'state' | 'healthy'>): State {
  if (state === 'crash-looped' || state === 'exposed') return 'bad'
  if (state === 'stopped' || state === 'ended') return 'idle'
  if (healthy === false) return 'warn'
  return state === 'running' || state === 'external' ? (healthy === null ? 'busy' : 'good') : 'busy'
}

/** A replica's state in words. */
export function sayReplica({
  state,
  healthy,
  detail,
}: Pick<Replica, 'state' | 'healthy' | 'detail'>): string {
  if (healthy === false) return detail === '' ? 'not healthy' : `not healthy: ${detail}`
  if (state === 'running' || state === 'external') return healthy === null ? 'not known yet' : 'healthy'
  return detail === '' ? state : `${state}: ${detail}`
}

const order: readonly Service['state'][] = ['down', 'degraded', 'starting', 'healthy']

/** Services with the ill ones first, each group by name. */
export function illFirst(services: readonly Service[]): readonly Service[] {
  const rank = (service: Service): number => order.indexOf(service.state)
  return [...services].sort(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  )
}

/** When the first of the replicas that run was started, epoch milliseconds; null: none is known. */
export function runningSince(services: readonly Service[]): number | null {
  const starts = services
    .flatMap(({ replicas }) => replicas.map(({ startedAt }) => startedAt))
    .filter((startedAt) => startedAt !== null)
  return starts.length === 0 ? null : Math.min(...starts)
}

/** Limits that refused somebody in the last minute, the hardest biting first. */
export function bitingLimits(limits: readonly LimitView[]): readonly LimitView[] {
  return limits
    .filter((limit) => !limit.dryRun && limit.refused.lastMinute > 0)
    .sort((a, b) => b.refused.lastMinute - a.refused.lastMinute)
}

const sayAll = (count: number, things: string): string =>
  count === 2 ? `Both ${things}` : `All ${count} ${things}`

function sayHealth(services: readonly Service[]): Piece {
  const href = placeOf(['services'])
  const well = services.filter(({ state }) => state === 'healthy').length
  if (services.length === 0) return { text: 'No service is described yet', href }
  if (well === services.length) {
    const text = well === 1 ? `${services[0]?.name ?? ''} is healthy` : `${sayAll(well, 'services')} healthy`
    return { text, href }
  }
  const ill = illFirst(services).filter(({ state }) => state !== 'healthy')
  const [first] = ill
  if (ill.length === 1 && first !== undefined) {
    return { text: `${first.name} is ${first.state}`, href: placeOf(['services', first.name]) }
  }
  return { text: `${ill.length} of ${services.length} services are not healthy`, href }
}

/** What the overview is answered from; undefined: not known yet. */
export interface OverviewScene {
  readonly status: EnvironmentStatus
  readonly traffic: TrafficView | undefined
  readonly limits: readonly LimitView[] | undefined
  /** Newest first. */
  readonly deploys: DeployHistory['deploys'] | undefined
  readonly drift: Drift | undefined
  readonly now: number
}

/** The overview's answer: is my service up, how much traffic, what is refused; and what goes on, failed or has drifted. */
export function answerOverview({
  status,
  traffic,
  limits,
  deploys,
  drift,
  now,
}: OverviewScene): readonly Piece[] {
  const pieces: Piece[] = [sayHealth(status.services)]
  if (traffic !== undefined) {
    const text = `${sayRate(traffic.requestsPerSecond)} requests/s`
    pieces.push({ text: '; ' }, { text, href: placeOf(['limits']) })
  }
  if (limits !== undefined) pieces.push({ text: '; ' }, ...sayBiting(bitingLimits(limits)))
  const news = [...sayLastDeploy(deploys?.[0], status.services, now), ...sayDrift(drift, status.services)]
  return [...pieces, ...news.flatMap((piece) => [{ text: '; ' }, piece]), { text: '.' }]
}

const goingWords: Readonly<Record<Service['phase'], string>> = {
  steady: 'is on its way',
  waiting: 'waits for what it needs',
  starting: 'is starting',
  judging: 'is being judged',
  moving: 'is taking over',
  refused: 'is given up',
}
/** What was given up long ago is no news. */
const newsMs = 24 * 3_600_000

/** The deploy that is under way, or the last one if it was given up within a day. */
function sayLastDeploy(
  deploy: DeployHistory['deploys'][number] | undefined,
  services: readonly Service[],
  now: number,
): readonly Piece[] {
  if (deploy === undefined) return []
  const { service, release, outcome, at } = deploy
  const href = placeOf(['deploys', service])
  if (outcome === 'under way') {
    const { phase = 'steady' } = services.find(({ name }) => name === service) ?? {}
    return [{ text: `${release} of ${service} ${goingWords[phase]}`, href }]
  }
  if (outcome === 'deployed' || now - at > newsMs) return []
  return [{ text: `the last deploy, ${release} of ${service}, was given up`, href }]
}

/** What differs from what was applied, but for the services of which it was said already that they are ill. */
function sayDrift(drift: Drift | undefined, services: readonly Service[]): readonly Piece[] {
  const ill = new Set(
    services.filter(({ state }) => state !== 'healthy').map(({ name }) => `service ${name}`),
  )
  const { items, unapplied } = splitDrift(drift?.items ?? [])
  const news = items.filter(({ object }) => !ill.has(object)).length
  const href = placeOf(['plan'])
  const differs = `${sayThings(news, 'thing differs', 'things differ')} from what was applied`
  const waits = `${sayThings(unapplied, 'change of the file is', 'changes of the file are')} not applied`
  return [
    ...(news === 0 ? [] : [{ text: differs, href }]),
    ...(unapplied === 0 ? [] : [{ text: waits, href }]),
  ]
}

function sayBiting(biting: readonly LimitView[]): readonly Piece[] {
  const [first] = biting
  if (first === undefined) return [{ text: 'no limit is biting' }]
  if (biting.length > 1) return [{ text: `${biting.length} limits are biting`, href: placeOf(['limits']) }]
  return [
    { text: 'one limit is biting: ' },
    { text: sayLimit(first.name), href: placeOf(['limits', 'limit', first.name]) },
  ]
}

/** A limit's name without the room that every reader knows: `POST /login`. */
export const sayLimit = (name: string): string =>
  name === 'edge.unmatched' ? 'whatever no route matches' : name.replace(/^edge\.route\./, '')

/** A route's name as people say it. */
export const sayRoute = (name: string): string =>
  name === unmatchedRoute ? 'whatever no route matches' : name

/** What control calls the route of requests that no route matches. */
export const unmatchedRoute = '(unmatched)'

/** The answer of the services' page. */
export function answerServices(services: readonly Service[]): readonly Piece[] {
  const replicas = services.flatMap((service) => service.replicas)
  if (services.length === 0) return [{ text: 'No service is described in the environment file yet.' }]
  const well = replicas.filter((replica) => stateOfReplica(replica) === 'good').length
  const restarts = replicas.reduce((sum, replica) => sum + replica.restarts, 0)
  const ill = services.filter(({ state }) => state !== 'healthy').length
  const health =
    ill === 0 ? sayHealth(services).text : `${ill} of ${sayThings(services.length, 'service')} not healthy`
  const restarted =
    restarts === 0 ? 'none was restarted' : `${sayThings(restarts, 'restart')} since the last change`
  return [{ text: `${health}: ${well} of ${sayThings(replicas.length, 'replica')} well; ${restarted}.` }]
}

/** The answer of the page on routes and limits. */
export function answerLimits(routes: readonly RouteView[], limits: readonly LimitView[]): readonly Piece[] {
  const unlimited = routes.filter(({ unlimitedBecause }) => unlimitedBecause !== null).length
  const own = routes.filter(({ to }) => to !== '').length
  const bounded =
    unlimited === 0
      ? `${own === 1 ? 'The one route has' : `${sayAll(own, 'routes')} have`} a limit`
      : `${sayThings(unlimited, 'route has', 'routes have')} a waiver instead of a limit`
  const dry = limits.filter((limit) => limit.dryRun).length
  const biting = sayBiting(bitingLimits(limits))
  const tail = dry === 0 ? '.' : `; ${sayThings(dry, 'limit')} only on trial.`
  return [{ text: `${bounded}; ` }, ...biting.map(({ text }) => ({ text })), { text: tail }]
}

/** The answer of the jobs' page. */
export function answerJobs(jobs: readonly Job[], now: number): readonly Piece[] {
  const going = jobs.filter(({ endedAt }) => endedAt === null).length
  const last = jobs.find(({ endedAt }) => endedAt !== null)
  const goes = going === 0 ? 'No job is running' : `${sayThings(going, 'job is', 'jobs are')} running`
  if (last === undefined) return [{ text: `${goes}; none has ended yet.` }]
  return [
    {
      text: `${goes}; the last one, ${last.operation}, ended ${sayAgo(last.endedAt ?? now, now)}: ${last.state}.`,
    },
  ]
}

/** The answer of one service's page. */
export function answerService(service: Service, now: number): readonly Piece[] {
  const starts = service.replicas.map(({ startedAt }) => startedAt).filter((at) => at !== null)
  const oldest = starts.length === 0 ? undefined : starts.reduce((a, b) => Math.min(a, b))
  const since = oldest === undefined ? '' : ` Up for ${sayFor(oldest, now)}.`
  return [{ text: `${service.says.replace(/\.?$/, '.')}${since}` }]
}

/** The button that ends a pause: it says how much has come in the meantime. */
export const sayGoOn = (newer: number): string => (newer > 0 ? `Go on, ${sayCount(newer)} newer` : 'Go on')
