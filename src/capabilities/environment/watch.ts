import { environmentFacts, type EnvironmentStatus } from '../../contracts/environment.ts'
import type { ReplicaStatus, SupervisorStatus } from '../../contracts/supervisor.ts'
import type { Context } from '../../kernel/capability/index.ts'
import { plainError } from '../../kernel/std/index.ts'
import { assessServices, targetsOf, type Target } from './assess.ts'
import type { ServiceConfig, ServicesConfig } from './config.ts'
import type { EnvironmentPorts, ProbeResult } from './ports.ts'
import { decideTransition, type Said } from './transitions.ts'

const tickMs = 1000
const probeTimeoutMs = 2000
/** A target that is well is looked at this often; an ill one at every tick. */
const calmProbeMs = 3000

/** What the watcher keeps in memory; all of it is observed anew after a restart. */
export interface Watch {
  /** The last word of the supervisor; null before the first. */
  status(): SupervisorStatus | null
  services(): readonly EnvironmentStatus['services'][number][]
  /** Why the supervisor could not be asked, or null. */
  trouble(): string | null
  /** Called when the set of targets has changed. */
  onTargets(listener: () => void): void
  /** One round: observe, probe, decide, record. */
  round(): Promise<void>
  /** Resolves when the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

interface Probed {
  readonly result: ProbeResult
  readonly at: number
  readonly origin: string
}

/** Watches the services: the effects around `assess` and `decideTransition`. */
export function createWatch(services: ServicesConfig, context: Context, ports: EnvironmentPorts): Watch {
  const probes = new Map<string, Probed>()
  const said = new Map<string, Said>()
  const illSince = new Map<string, number>()
  const listeners = new Set<() => void>()
  let status: SupervisorStatus | null = null
  let trouble: string | null = null
  let targetsKey = ''

  const assess = (): readonly EnvironmentStatus['services'][number][] => {
    if (status === null) return []
    const results = new Map([...probes].map(([id, { result }]) => [id, result]))
    return assessServices(services, { status, probes: results })
  }

  const observe = async (): Promise<void> => {
    try {
      status = await ports.engine.status()
      trouble = null
    } catch (error) {
      trouble = plainError(error).message
      return
    }
    for (const replica of status.replicas) measure(context, replica)
  }

  const isDue = (target: Target): boolean => {
    const last = probes.get(target.id)
    if (last === undefined || !last.result.healthy || last.origin !== target.origin) return true
    return context.clock.monotonicMs() - last.at >= calmProbeMs
  }

  const probeAll = async (): Promise<void> => {
    const due = Object.entries(services).flatMap(([name, service]) =>
      targetsOf(name, service, status)
        .filter(isDue)
        .map((target) => ({ target, service })),
    )
    await Promise.all(due.map(({ target, service }) => probeOne(target, service)))
    const known = new Set(
      Object.entries(services).flatMap(([n, s]) => targetsOf(n, s, status).map(({ id }) => id)),
    )
    for (const id of probes.keys()) if (!known.has(id)) probes.delete(id)
  }

  const probeOne = async (target: Target, service: ServiceConfig): Promise<void> => {
    const result = await ports.prober.probe(target.origin, service.health ?? null, probeTimeoutMs)
    probes.set(target.id, { result, at: context.clock.monotonicMs(), origin: target.origin })
  }

  const sayTransitions = async (): Promise<void> => {
    const now = context.clock.monotonicMs()
    for (const view of assess()) {
      if (view.state === 'healthy') illSince.delete(view.name)
      else if (!illSince.has(view.name)) illSince.set(view.name, now)
      const patience = {
        startTimeoutMs: services[view.name]?.startTimeout ?? 0,
        illForMs: now - (illSince.get(view.name) ?? now),
      }
      const transition = decideTransition(view, said.get(view.name) ?? 'nothing', patience)
      if (transition === null) continue
      said.set(view.name, transition.now)
      await recordTransition(context, transition.service, transition.now)
    }
  }

  const tellTargets = (): void => {
    const key = JSON.stringify(Object.entries(services).map(([n, s]) => [n, targetsOf(n, s, status)]))
    if (key === targetsKey) return
    targetsKey = key
    for (const listener of listeners) listener()
  }

  const round = async (): Promise<void> => {
    await observe()
    if (status === null) return
    tellTargets()
    await probeAll()
    await sayTransitions()
  }

  return {
    status: () => status,
    services: assess,
    trouble: () => trouble,
    onTargets: (listener) => void listeners.add(listener),
    round,
    run: async (signal) => {
      while (!signal.aborted) {
        await round().catch((error: unknown) =>
          context.log.error({ error: plainError(error).message }, 'a look at the services failed'),
        )
        await context.clock.sleep(tickMs, signal).catch(() => undefined)
      }
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
  view: EnvironmentStatus['services'][number],
  now: 'healthy' | 'unhealthy',
): Promise<void> {
  const counts = { service: view.name, healthy: view.healthy, wanted: view.wanted }
  const extras = { subject: `service:${view.name}` }
  if (now === 'healthy') await context.record(environmentFacts.serviceHealthy, counts, extras)
  else await context.record(environmentFacts.serviceUnhealthy, { ...counts, detail: view.says }, extras)
}
