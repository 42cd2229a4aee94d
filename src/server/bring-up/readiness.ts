import type { EnvironmentStatus } from '../../contracts/index.ts'

/** How long each service may take, milliseconds, by name. */
export type Timeouts = Readonly<Record<string, number>>

/** What to do next while an environment starts. */
export type Readiness =
  | { readonly now: 'ready' }
  | { readonly now: 'wait'; readonly says: string }
  | { readonly now: 'give-up'; readonly service: string; readonly because: string }

type ServiceView = EnvironmentStatus['services'][number]

const hopeless = ['crash-looped', 'exposed']

function reasonOf(view: ServiceView): string {
  const ill = view.replicas.find((replica) => replica.healthy !== true)
  return ill === undefined ? view.says : `${ill.id}: ${ill.detail}`
}

/** Decides whether a starting environment is ready, needs more time, or will not come up. Pure. */
export function decideReadiness(status: EnvironmentStatus, timeouts: Timeouts, waitedMs: number): Readiness {
  const waiting = status.services.filter((view) => view.state !== 'healthy')
  if (waiting.length === 0 && status.services.length > 0) return { now: 'ready' }
  const lost = waiting.find((view) => view.replicas.some((replica) => hopeless.includes(replica.state)))
  if (lost !== undefined) return { now: 'give-up', service: lost.name, because: reasonOf(lost) }
  const late = waiting.find((view) => waitedMs > (timeouts[view.name] ?? 0))
  if (late !== undefined) {
    const because = `not healthy after ${Math.round(waitedMs / 1000)} s; ${reasonOf(late)}`
    return { now: 'give-up', service: late.name, because }
  }
  const counts = waiting.map((view) => `${view.name} ${view.healthy}/${view.wanted}`)
  return { now: 'wait', says: counts.length === 0 ? 'starting control' : `waiting for ${counts.join(', ')}` }
}
