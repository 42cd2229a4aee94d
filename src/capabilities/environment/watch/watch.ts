import { environmentFacts, type EnvironmentStatus } from '../../../contracts/environment.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { Context } from '../../../kernel/capability/index.ts'
import { plainError } from '../../../kernel/std/index.ts'
import type { Rollouts } from '../rollout/index.ts'
import { assessServices, healthOf } from './assess.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import type { EnvironmentPorts, ProbeResult } from '../ports.ts'
import { createProbes, type LookAt } from './probes.ts'
import { createTargets, type TargetsDoor } from './targets.ts'
import { decideTransition, type Patience, type Said } from './transitions.ts'

const tickMs = 1000
const busyTickMs = 100

/** From look to look while something is on the way: twice what one takes, so that many replicas do not fill a core. */
const busyRestMs = (tookMs: number): number => Math.min(tickMs, Math.max(busyTickMs, 2 * tookMs))

type ServiceView = EnvironmentStatus['services'][number]

/** What the watcher keeps in memory; all of it is observed anew after a restart. */
export interface Watch extends TargetsDoor {
  /** The last word of the supervisor, at the end of a look, when it is known how each service stands; null before the first. */
  status(): SupervisorStatus | null
  services(): readonly ServiceView[]
  /** Why the supervisor could not be asked, or null. */
  trouble(): string | null
  /** One round: observe, probe, take the next step of what is on the way, record. Rounds never overlap; none after `run`. */
  round(): Promise<void>
  /** Resolves when the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

/** What the timeline last said about a service. */
type SaidBefore = (service: string) => Said

/** What the watcher needs. */
export interface WatchPorts extends Pick<EnvironmentPorts, 'engine'> {
  readonly lookAt: LookAt
  readonly said: SaidBefore
  readonly rollouts: Rollouts
  /** The release that a service is wished to run. */
  readonly releaseOf: (service: string) => string
}

/** Says on the timeline when a service gets well or ill, and not more often. */
function createAnnouncer(
  services: ServicesConfig,
  context: Context,
  said: SaidBefore,
): (views: readonly ServiceView[]) => Promise<void> {
  const steady = new Map<string, { readonly well: boolean; readonly since: number }>()
  const patienceWith = (view: ServiceView): Patience => {
    const now = context.clock.monotonicMs()
    const well = view.state === 'healthy'
    if (steady.get(view.name)?.well !== well) steady.set(view.name, { well, since: now })
    const startTimeoutMs = services[view.name]?.startTimeout ?? 0
    return { startTimeoutMs, steadyForMs: now - (steady.get(view.name)?.since ?? now) }
  }
  return async (views) => {
    for (const view of views) {
      const transition = decideTransition(view, said(view.name), patienceWith(view))
      if (transition === null) continue
      await recordTransition(context, transition.service, transition.now)
    }
  }
}

/** What is not watched is a file, and there; what others run has no replicas, and one target of its own name. */
const isWellOutside = (service: ServiceConfig | undefined, found: ProbeResult | undefined): boolean =>
  service === undefined || (service.address !== undefined && found?.healthy === true)

/** How services stand, beside what was seen of them. */
function standingsOf({ rollouts, releaseOf }: WatchPorts) {
  return { rolloutOf: (name: string) => rollouts.standing(name), releaseOf }
}

/** Watches the services: the effects around `assess` and `decideTransition`. */
export function createWatch(services: ServicesConfig, context: Context, ports: WatchPorts): Watch {
  const probes = createProbes(services, context.clock, ports.lookAt)
  const announce = createAnnouncer(services, context, ports.said)
  const { rollouts } = ports
  let status: SupervisorStatus | null = null
  let trouble: string | null = null
  let running: Promise<void> | null = null
  let isOver = false
  const told = createTargets({ services, status: () => status, rollouts, clock: context.clock })

  const seen = () => ({ probes: probes.results(), ...standingsOf(ports) })
  const assess = (): readonly ServiceView[] =>
    status === null ? [] : assessServices(services, { status, ...seen() })

  const lookOnce = async (): Promise<void> => {
    if (isOver) return
    try {
      const seen = await ports.engine.status()
      await probes.look(seen)
      const found = probes.results()
      const stepped = await rollouts.step(seen.replicas, {
        ofReplica: (replica) => healthOf(replica, found.get(replica.id)),
        isSentTo: (replicaId) => told.door.isSentTo(replicaId),
        isWellOutside: (name) => isWellOutside(services[name], found.get(name)),
      })
      status = stepped ?? seen
      trouble = null
    } catch (error) {
      trouble = plainError(error).message
      return
    }
    for (const replica of status.replicas) measure(context, replica)
    told.tell()
    await announce(assess())
  }

  /** Whoever asks while a look is under way gets that one's end, and then a look of its own. */
  const round = async (): Promise<void> => {
    await running?.catch(() => undefined)
    running ??= lookOnce().finally(() => {
      running = null
    })
    await running
  }

  return {
    status: () => status,
    services: assess,
    trouble: () => trouble,
    ...told.door,
    round,
    run: async (signal) => {
      while (!signal.aborted) {
        const begunMs = context.clock.monotonicMs()
        await round().catch((error: unknown) =>
          context.log.error({ error: plainError(error).message }, 'a look at the services failed'),
        )
        const restMs = rollouts.isSteady ? tickMs : busyRestMs(context.clock.monotonicMs() - begunMs)
        await context.clock.sleep(restMs, signal).catch(() => undefined)
      }
      isOver = true
    },
  }
}

function measure(context: Context, replica: ReplicaStatus): void {
  const labels = { replica: replica.id, service: replica.service }
  const gauge = (name: string, value: number | null): void => {
    if (value === null) return
    const measurement = { at: context.clock.now(), count: 1, sum: value, minimum: value, maximum: value }
    context.series.record({ name, labels }, 'gauge', measurement)
  }
  gauge('environment.cpu', replica.cpu)
  gauge('environment.memory-bytes', replica.memoryBytes)
  gauge('environment.restarts', replica.restarts)
}

async function recordTransition(
  context: Context,
  view: ServiceView,
  now: 'healthy' | 'unhealthy',
): Promise<void> {
  const counts = { service: view.name, healthy: view.healthy, wanted: view.wanted }
  const extras = { subject: `service:${view.name}` }
  if (now === 'healthy') await context.record(environmentFacts.serviceHealthy, counts, extras)
  else await context.record(environmentFacts.serviceUnhealthy, { ...counts, detail: view.says }, extras)
}
