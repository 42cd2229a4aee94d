import { environmentFacts as facts, type RolloutPhase } from '../../../contracts/environment.ts'
import type { Context, JobCall } from '../../../kernel/capability/index.ts'
import { HoldfastError, plainError, lookUp } from '../../../kernel/std/index.ts'
import { lastSaid } from '../../../kernel/timeline/index.ts'
import type { ServicesConfig } from '../config.ts'
import type { ImageSource, ImageStore, Release, ReleaseSource, ReleaseStore } from '../ports.ts'
import type { Rollouts } from '../rollout/index.ts'
import { runFailed, type Runs } from '../runs/index.ts'
import { throwUnlessCancelled } from '../cancelled.ts'
import { noRelease, releasesOf, type EnvironmentView } from '../view.ts'
import type { Watch } from '../watch/index.ts'
import type { Wish } from '../wish/index.ts'
import { decideDeploy, decidePruning, imageUnfit, nothingToGoBackTo, releaseBefore } from './decide-deploy.ts'

/** What deploys stand on. */
export interface DeployGround {
  readonly services: ServicesConfig
  readonly view: () => EnvironmentView
  readonly wished: () => readonly Wish[]
  readonly watch: Pick<Watch, 'round'>
  readonly rollouts: Pick<Rollouts, 'standing'>
  readonly releases: ReleaseStore
  /** Null: the engine runs programs. */
  readonly images: ImageStore | null
  readonly runs: Pick<Runs, 'run' | 'conclude'>
  readonly context: Pick<Context, 'clock' | 'record' | 'log' | 'timeline'>
}

/** What is to be deployed. */
export interface WantedDeploy {
  readonly service: string
  readonly release: string
  /** Null: a release that is kept. */
  readonly source: ReleaseSource | ImageSource | null
  readonly note: string
  readonly rollback: boolean
}

/** Which release of what. */
type Deploying = Pick<WantedDeploy, 'service' | 'release'>

/** How a deploy ended well. */
export type Deployed = {
  readonly service: string
  readonly release: string
  readonly before: string
  readonly seconds: number
  readonly says: string
}

const pollMs = 250
const shareDone: Readonly<Record<RolloutPhase, number>> = {
  waiting: 0.1,
  starting: 0.3,
  judging: 0.5,
  moving: 0.8,
  steady: 1,
  refused: 1,
}
const sayRelease = (release: string): string => (release === '' ? noRelease : release)

function extrasOf(wanted: Deploying, call: JobCall) {
  return { subject: `service:${wanted.service}`, actor: call.caller.actor, correlation: call.correlation }
}

/** Puts the files in place, or finds the image. */
async function fetch(
  { releases, images }: DeployGround,
  { service, release }: WantedDeploy,
  { source, signal }: { readonly source: ReleaseSource | ImageSource; readonly signal: AbortSignal },
): Promise<Release> {
  const place = { service, release }
  if (source.kind !== 'image') return releases.add(place, source, signal)
  if (images === null) throw imageUnfit(place, 'this engine runs programs')
  return releases.addImage(place, await images.find(source.name))
}

/** Stores the release, once. */
async function store(
  ground: DeployGround,
  wanted: WantedDeploy,
  call: JobCall,
): Promise<{ readonly source: string }> {
  const { service, release, source } = wanted
  if (source === null) return { source: 'what was kept' }
  const { signal } = call
  return call.step('store the release', async () => {
    const { at: _at, ...stored } = await fetch(ground, wanted, { source, signal })
    await ground.context.record(facts.releaseStored, { service, ...stored, release }, extrasOf(wanted, call))
    return { source: stored.source }
  })
}

type When = 'before' | 'after'

/** The runs that belong to a deploy, in their order. */
function runsOf({ services }: DeployGround, { service, release }: Deploying, { when, call }: Ran) {
  const { correlation, caller, jobId } = call
  const reason = { actor: caller.actor, correlation, why: `${when} ${release} of ${service}` }
  return (services[service]?.deploy[when] ?? []).map((job) => {
    return { job, place: { job, key: `${jobId}/${when}/${job}`, release }, reason }
  })
}

interface Ran {
  readonly when: When
  readonly call: JobCall
}

/** Runs the jobs of a deploy, one after the other. Answers with the failure of the first that fails. */
async function runJobs(ground: DeployGround, wanted: WantedDeploy, ran: Ran): Promise<HoldfastError | null> {
  const { when, call } = ran
  for (const { job, place, reason } of runsOf(ground, wanted, ran)) {
    call.progress(when === 'before' ? 0.1 : 0.9, `job ${job} runs`)
    const end = await ground.runs.run(place, reason, call.signal)
    if (!end.ok) return runFailed(job, end)
  }
  return null
}

/** What the fact that moved the wish says. */
interface Begun {
  readonly release: string
  readonly before: string
  readonly at: number
}

/** Moves the wish; everything after it is seen and not remembered. */
async function begin(
  ground: DeployGround,
  wanted: WantedDeploy,
  { call, source }: { readonly call: JobCall; readonly source: string },
): Promise<Begun> {
  const { service, release, note, rollback } = wanted
  const before = sayRelease(releasesOf(ground.view(), service).wished)
  const said = note === '' ? '' : `: ${note}`
  const data = { service, release, before, job: call.jobId, source, note: said, rollback }
  const { at } = await ground.context.record(facts.deployBegun, data, extrasOf(wanted, call))
  return { release, before, at }
}

/** Everything up to the moment at which the wish moves. */
async function prepare(ground: DeployGround, wanted: WantedDeploy, call: JobCall): Promise<Begun> {
  decideDeploy(ground.view(), wanted, call.jobId)
  const { source } = await store(ground, wanted, call)
  const stopped = wanted.rollback ? null : await runJobs(ground, wanted, { when: 'before', call })
  if (stopped !== null) throw stopped
  decideDeploy(ground.view(), wanted, call.jobId)
  return begin(ground, wanted, { call, source })
}

/** What an earlier control has said of this deploy. */
async function readBegun({ context }: DeployGround, { correlation }: JobCall): Promise<Begun | null> {
  const fact = await lastSaid(context.timeline, { correlation }, [facts.deployBegun])
  if (fact === null) return null
  const { release, before } = facts.deployBegun.data.parse(fact.data)
  return { release, before, at: fact.at }
}

/** How an earlier control has said that this deploy ended. */
async function readEnd({ context }: DeployGround, { correlation }: JobCall): Promise<Ended | null> {
  const fact = await lastSaid(context.timeline, { correlation }, [facts.deployed, facts.deployFailed])
  if (fact === null) return null
  if (fact.kind === facts.deployFailed.kind) return { bad: facts.deployFailed.data.parse(fact.data).because }
  const { verdict, seconds } = facts.deployed.data.parse(fact.data)
  return { good: verdict, seconds }
}

type End = { readonly good: string } | { readonly bad: string }
type Ended = { readonly good: string; readonly seconds: number } | { readonly bad: string }

/** Where the deploy stands; null: it is still on the way. */
function endOf({ view, wished, rollouts }: DeployGround, { service, release }: WantedDeploy): End | null {
  const target = wished().find(({ name }) => name === service)
  if (target === undefined) return { bad: 'the file does not name it any more' }
  if (target.specification.release !== release) return null
  const refused = lookUp(view().refused, service)
  if (refused?.group === target.hash) return { bad: refused.because }
  const standing = rollouts.standing(service)
  const isThere = standing.phase === 'steady' && standing.hash === target.hash
  return isThere ? { good: standing.verdict } : null
}

async function untilEnd(ground: DeployGround, wanted: WantedDeploy, call: JobCall): Promise<End> {
  for (;;) {
    await ground.watch.round()
    const end = endOf(ground, wanted)
    if (end !== null) return end
    const { says, phase } = ground.rollouts.standing(wanted.service)
    call.progress(shareDone[phase], says)
    await ground.context.clock.sleep(pollMs, call.signal).catch(() => throwUnlessCancelled(call.signal))
    if (call.signal.aborted) return { bad: 'it was cancelled' }
  }
}

/** Old releases go, but for the newest few and those that one may want to go back to at once. */
async function prune(ground: DeployGround, { service }: WantedDeploy): Promise<void> {
  const { releases, images, services, view, context } = ground
  const kept = (await releases.list(service)).map(({ release }) => release)
  const most = services[service]?.deploy.keep ?? 2
  const old = decidePruning({ kept, most, releases: releasesOf(view(), service) })
  for (const release of old) {
    await releases.remove(service, release)
    await images?.forget(releases.directoryOf(service, release))
  }
  await releases.tidy(service)
  if (old.length === 0) return
  const names = old.join(', ')
  await context.record(facts.releasesPruned, { service, releases: names }, { subject: `service:${service}` })
}

/** Waits for the end and says it. */
async function end(
  ground: DeployGround,
  wanted: WantedDeploy,
  { call, begun }: { readonly call: JobCall; readonly begun: Begun },
): Promise<Ended> {
  const { context } = ground
  const found = await untilEnd(ground, wanted, call)
  if ('bad' in found) {
    await fail(ground, wanted, { call, begun, because: found.bad })
    return found
  }
  const { service, release } = wanted
  const seconds = Math.round((context.clock.now() - begun.at) / 100) / 10
  const data = { service, release, before: begun.before, job: call.jobId, seconds, verdict: found.good }
  await context.record(facts.deployed, data, extrasOf(wanted, call))
  return { ...found, seconds }
}

interface Failing {
  readonly call: JobCall
  readonly begun: Begun
  readonly because: string
}

async function fail(
  { context }: DeployGround,
  wanted: Deploying,
  { call, begun, because }: Failing,
): Promise<void> {
  const { service } = wanted
  const { release, before } = begun
  const data = { service, release, before, job: call.jobId, because }
  await context.record(facts.deployFailed, data, extrasOf(wanted, call))
}

/**
 * Moves a service to a release: stores its files, wishes it, and waits until the rollout has ended well or ill; in the
 * latter case the wish falls back. Killed at any instant, the job that is begun again goes on from what it has said and from
 * what it sees. Errors: `environment.deploy-failed`, those of `decideDeploy` and of the store.
 */
export async function deploy(ground: DeployGround, wanted: WantedDeploy, call: JobCall): Promise<Deployed> {
  const { service, release } = wanted
  const begun = (await readBegun(ground, call)) ?? (await prepare(ground, wanted, call))
  const ended = (await readEnd(ground, call)) ?? (await end(ground, wanted, { call, begun }))
  const { before } = begun
  if ('bad' in ended) throw failed(wanted, before, ended.bad)
  await prune(ground, wanted).catch((error: unknown) =>
    ground.context.log.warn({ error: plainError(error).message }, 'old releases could not be removed'),
  )
  const late = wanted.rollback ? null : await runJobs(ground, wanted, { when: 'after', call })
  const but = late === null ? '' : `; but ${late.message}`
  const says = `${service} runs ${release} (${ended.good})${but}`
  return { service, release, before, seconds: ended.seconds, says }
}

/** Says that what a deploy has begun has ended, when its job ends without going on; the wish falls back. */
export async function concludeDeploy(
  ground: DeployGround,
  wanted: Deploying,
  { call, because }: { readonly call: JobCall; readonly because: string },
): Promise<void> {
  const begun = await readBegun(ground, call)
  if (begun !== null && (await readEnd(ground, call)) === null)
    await fail(ground, wanted, { call, begun, because })
  for (const when of ['before', 'after'] as const)
    for (const { place, reason } of runsOf(ground, wanted, { when, call }))
      await ground.runs.conclude(place, reason, because)
}

/** Moves a service back to a release that was good. Errors: `environment.nothing-to-roll-back`, those of `deploy`. */
export async function rollback(
  ground: DeployGround,
  { service, to, note }: { readonly service: string; readonly to: string | undefined; readonly note: string },
  call: JobCall,
): Promise<Deployed> {
  const { release } = await call.step('choose', async () => {
    const kept = (await ground.releases.list(service)).map((one) => one.release)
    const found = to ?? releaseBefore(ground.view(), service, kept)
    if (found === null || !kept.includes(found)) throw nothingToGoBackTo(service, kept)
    const isImage = lookUp(releasesOf(ground.view(), service).images, found) !== undefined
    if (isImage && ground.images === null)
      throw imageUnfit({ service, release: found }, 'this engine runs programs')
    return { release: found }
  })
  return deploy(ground, { service, release, source: null, note, rollback: true }, call)
}

function failed({ service, release }: WantedDeploy, before: string, because: string): HoldfastError {
  return new HoldfastError({
    code: 'environment.deploy-failed',
    kind: 'operational',
    message: `${service} stays with ${before}; ${release} was given up: ${because}`,
    hint: `see "holdfast logs ${service}" and "holdfast deploy history ${service}"`,
  })
}
