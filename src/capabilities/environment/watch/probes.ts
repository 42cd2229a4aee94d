import type { SupervisorStatus } from '../../../contracts/supervisor.ts'
import type { Clock } from '../../../kernel/std/index.ts'
import { targetsOf, type Target } from './assess.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import type { ProbeResult } from '../ports.ts'

/** A target that is well is looked at this often; an ill one every time. */
const calmProbeMs = 3000

interface Probed {
  readonly result: ProbeResult
  readonly at: number
  readonly target: Target
}

/** Looks whether a target of a service is well; never throws. */
export type LookAt = (name: string, target: Target, service: ServiceConfig) => Promise<ProbeResult>

/** The last probe of each target. */
export interface Probes {
  /** Looks at every target that is due. */
  look(status: SupervisorStatus): Promise<void>
  results(): ReadonlyMap<string, ProbeResult>
}

function isSame(target: Target, now: Target | undefined): boolean {
  return now !== undefined && target.origin === now.origin && target.since === now.since
}

/** Remembers how each target was when it was last looked at; bounded by the number of targets. */
export function createProbes(services: ServicesConfig, clock: Clock, lookAt: LookAt): Probes {
  const probed = new Map<string, Probed>()
  const isDue = (target: Target): boolean => {
    const last = probed.get(target.id)
    if (last === undefined || !last.result.healthy) return true
    return clock.monotonicMs() - last.at >= calmProbeMs
  }
  const probe = async (name: string, target: Target, service: ServiceConfig): Promise<void> => {
    const result = await lookAt(name, target, service)
    probed.set(target.id, { result, at: clock.monotonicMs(), target })
  }
  return {
    results: () => new Map([...probed].map(([id, { result }]) => [id, result])),
    look: async (status) => {
      const all = Object.entries(services).flatMap(([name, service]) =>
        targetsOf(name, service, status).map((target) => ({ name, target, service })),
      )
      const targets = new Map(all.map(({ target }) => [target.id, target]))
      for (const [id, { target }] of probed) if (!isSame(target, targets.get(id))) probed.delete(id)
      const due = all.filter(({ target }) => isDue(target))
      await Promise.all(due.map(({ name, target, service }) => probe(name, target, service)))
    },
  }
}
