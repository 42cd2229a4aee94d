import {
  environmentFacts as facts,
  environmentOperations,
  type DeployHistory,
} from '../../../contracts/environment.ts'
import { bindJob, bindValue, type OperationBinding } from '../../../kernel/capability/index.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { Timeline } from '../../../kernel/timeline/index.ts'
import { refuseForeign, serviceOf } from '../services.ts'
import { releasesOf } from '../view.ts'
import { serviceDirectory } from '../wish/index.ts'
import { goingNext, releaseBefore } from './decide-deploy.ts'
import { concludeDeploy, deploy, rollback, type DeployGround } from './deploy.ts'
import { readDeploys } from './history.ts'
import { readSource } from './source.ts'

/** What the operations on deploys stand on. */
export interface DeploysGround extends DeployGround {
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly timeline: Pick<Timeline, 'read'>
}

/** What runs, what is kept of a service, and what of it goes next. */
async function releasesView(
  { services, releases, view }: DeploysGround,
  service: string,
): Promise<DeployHistory['releases'][number]> {
  const list = await releases.list(service)
  const names = list.map(({ release }) => release)
  const most = services[service]?.deploy.keep ?? 0
  const known = releasesOf(view(), service)
  const next = goingNext({ kept: names, most, releases: known })
  const kept = list.map(({ release, at, source, files, sizeBytes, image }) => ({
    release,
    at,
    source,
    files,
    sizeBytes,
    image,
    good: known.good.includes(release),
    goesNext: next.includes(release),
  }))
  const { wished: running, images } = known
  const image = lookUp(images, running) ?? null
  return { service, running, image, kept, most, back: releaseBefore(view(), service, names) }
}

async function history(
  ground: DeploysGround,
  input: { readonly service?: string | undefined; readonly most: number },
): Promise<DeployHistory> {
  const { services, view } = ground
  if (input.service !== undefined) serviceOf(services, input.service)
  const names = Object.keys(services).filter(
    (name) => services[name]?.address === undefined && (input.service ?? name) === name,
  )
  const kept = await Promise.all(names.map((name) => releasesView(ground, name)))
  const isPending = (job: string): boolean =>
    Object.values(view().releases).some(({ pending }) => pending?.job === job)
  const deploys = [...(await readDeploys(ground.timeline, { ...input, isPending }))]
  const locks = Object.entries(view().locks).map(([service, lock]) => ({ service, ...lock }))
  return { says: sayHistory(deploys), deploys, releases: kept, locks }
}

function sayHistory([last]: DeployHistory['deploys']): string {
  if (last === undefined) return 'Nothing was deployed yet: "holdfast deploy <service> --version <version>"'
  const outcome = { 'under way': 'is on its way', deployed: 'was deployed', 'rolled back': 'was given up' }
  return `The last deploy: ${last.release} of ${last.service} ${outcome[last.outcome]}`
}

/** Binds what is said about deploys to its code. */
export function bindDeploys(ground: DeploysGround): readonly OperationBinding[] {
  const { services, context } = ground
  const lockName = (service: string): string => (service === '*' ? 'all services' : service)
  return [
    bindJob(
      environmentOperations.deploy,
      ({ service, version, from, note }, call) => {
        const config = refuseForeign(service, serviceOf(services, service))
        const source = readSource(from, serviceDirectory(config, ground.directory))
        return deploy(ground, { service, release: version, source, note, rollback: false }, call)
      },
      ({ service, version: release }, call, because) =>
        concludeDeploy(ground, { service, release }, { call, because }),
    ),
    bindJob(
      environmentOperations.rollback,
      ({ service, to, note }, call) => {
        refuseForeign(service, serviceOf(services, service))
        return rollback(ground, { service, to, note }, call)
      },
      ({ service }, call, because) => concludeDeploy(ground, { service, release: '' }, { call, because }),
    ),
    bindValue(environmentOperations.deploys, (input) => history(ground, input)),
    bindValue(environmentOperations.lockDeploys, async ({ service, because }, { caller, correlation }) => {
      if (service !== '*') serviceOf(services, service)
      await context.record(facts.deploysLocked, { service, because }, { actor: caller.actor, correlation })
      return { says: `deploys of ${lockName(service)} are locked: ${because}` }
    }),
    bindValue(environmentOperations.unlockDeploys, async ({ service }, { caller, correlation }) => {
      await context.record(facts.deploysUnlocked, { service }, { actor: caller.actor, correlation })
      return { says: `deploys of ${lockName(service)} may be done again` }
    }),
  ]
}
