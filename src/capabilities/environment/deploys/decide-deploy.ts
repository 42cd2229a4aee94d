import { HoldfastError, lookUp } from '../../../kernel/std/index.ts'
import { releasesOf, type DeployLock, type EnvironmentView, type ServiceReleases } from '../view.ts'

function locked(service: string, lock: DeployLock): HoldfastError {
  return new HoldfastError({
    code: 'environment.deploys-locked',
    kind: 'user',
    message: `deploys of ${service === '*' ? 'all services' : service} are locked by ${lock.by}: ${lock.because}`,
    hint: `when it is over: holdfast deploy unlock${service === '*' ? '' : ` ${service}`}`,
  })
}

function underWay(service: string, job: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.deploy-under-way',
    kind: 'user',
    message: `a deploy of ${service} is under way`,
    hint: `wait for it, or cancel it: holdfast jobs cancel ${job}`,
  })
}

/**
 * Whether a deploy may begin, or go on. One at a time in the whole environment, so that it is clear what made things worse.
 * Errors: `environment.deploys-locked`, `environment.deploy-under-way`.
 */
export function decideDeploy(
  { locks, releases }: EnvironmentView,
  { service }: { readonly service: string },
  job: string,
): void {
  const [other] = Object.entries(releases).filter(
    ([, { pending }]) => pending !== null && pending.job !== job,
  )
  if (other !== undefined) throw underWay(other[0], other[1].pending?.job ?? '')
  if (lookUp(releases, service)?.pending?.job === job) return
  for (const name of ['*', service]) {
    const lock = lookUp(locks, name)
    if (lock !== undefined) throw locked(name, lock)
  }
}

/** The last release of a service that was good before the present one and is kept; null: there is none. */
export function releaseBefore(
  view: EnvironmentView,
  service: string,
  kept: readonly string[],
): string | null {
  const { wished, good } = releasesOf(view, service)
  return good.findLast((one) => one !== wished && kept.includes(one)) ?? null
}

/** A release that is an image, where those are not run. */
export function imageUnfit(
  { service, release }: { readonly service: string; readonly release: string },
  because: string,
): HoldfastError {
  return new HoldfastError({
    code: 'environment.image-unfit',
    kind: 'user',
    message: `release ${release} of ${service} is an image, and ${because}`,
    hint: 'images are run with engine: { swarm: "unix:///var/run/docker.sock" }; here, deploy files',
  })
}

/** How many releases of a service are kept, and what is known of them. */
export interface KeptReleases {
  /** Newest first. */
  readonly kept: readonly string[]
  readonly most: number
  readonly releases: Pick<ServiceReleases, 'wished' | 'good'>
}

/** The releases that are too many: not among the newest few, nor those that one may want to go back to at once. */
export function decidePruning({ kept, most, releases }: KeptReleases): readonly string[] {
  const needed = new Set([releases.wished, ...releases.good.slice(-2)])
  return kept.slice(most).filter((release) => !needed.has(release))
}

/** The releases that will be too many when one more was deployed, and is good. */
export function goingNext({ kept, most, releases }: KeptReleases): readonly string[] {
  // No release has this name.
  const one = ''
  const after = { wished: one, good: [...releases.good, one] }
  return decidePruning({ kept: [one, ...kept], most, releases: after })
}

/** Says what one could go back to. */
export function nothingToGoBackTo(service: string, kept: readonly string[]): HoldfastError {
  return new HoldfastError({
    code: 'environment.nothing-to-roll-back',
    kind: 'user',
    message: `there is no such earlier release of ${service}`,
    hint: kept.length === 0 ? 'none was deployed yet' : `these are kept: ${kept.join(', ')}`,
  })
}
