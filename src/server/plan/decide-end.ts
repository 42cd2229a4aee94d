import type { EnvironmentPlan, EnvironmentStatus } from '../../contracts/environment.ts'

type ServiceView = EnvironmentStatus['services'][number]

/** How an apply stands. */
export type ApplyEnd =
  'done' | { readonly failed: string } | { readonly share: number; readonly says: string }

/** What the end of an apply is decided from. */
export interface ApplyScene {
  readonly services: readonly ServiceView[]
  /** Services that the plan starts or replaces. */
  readonly touched: readonly string[]
  /** Since when each of them was seen with replicas and without being well, monotonic milliseconds. */
  readonly illSince: ReadonlyMap<string, number>
  /** How long each may take to get well, milliseconds. */
  readonly startTimeouts: Readonly<Record<string, number>>
  readonly nowMs: number
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number
}

/** Services and databases that a plan starts, replaces or scales. */
export function touchedBy({ steps }: Pick<EnvironmentPlan, 'steps'>): readonly string[] {
  return steps.flatMap(({ object, verb }) => {
    const [kind, name = ''] = object.split(' ')
    const runs = kind === 'service' || kind === 'database'
    return runs && ['create', 'replace', 'scale'].includes(verb) ? [name] : []
  })
}

/**
 * A worker is well while it runs; one that ends at once is not, so it has to have run for a moment. What is known of it may
 * be a second old.
 */
const provenMs = 2500
const defaultTimeoutMs = 30_000
const givenUp: ReadonlySet<string> = new Set(['crash-looped', 'exposed'])

const isProven = ({ replicas }: ServiceView, now: number): boolean =>
  replicas.every(({ address, startedAt }) => address !== null || now - (startedAt ?? now) >= provenMs)

function failureOf(service: ServiceView, scene: ApplyScene): string | null {
  const { name, phase, rollout, says, replicas } = service
  if (phase === 'refused') return rollout
  if (!scene.touched.includes(name)) return null
  if (replicas.some(({ state }) => givenUp.has(state))) return says
  const sinceMs = scene.illSince.get(name) ?? scene.nowMs
  const patienceMs = scene.startTimeouts[name] ?? defaultTimeoutMs
  return scene.nowMs - sinceMs > patienceMs ? says : null
}

function isThere(service: ServiceView, { touched, now }: ApplyScene): boolean {
  const { name, phase, state } = service
  if (phase !== 'steady' || state === 'starting') return false
  return !touched.includes(name) || (state === 'healthy' && isProven(service, now))
}

/** Whether a plan has come about, from how services are; pure. What was ill before and is not touched does not count. */
export function decideEnd(scene: ApplyScene): ApplyEnd {
  const { services } = scene
  for (const service of services) {
    const failed = failureOf(service, scene)
    if (failed !== null) return { failed }
  }
  const moving = services.filter((service) => !isThere(service, scene))
  if (moving.length === 0) return 'done'
  const share = (services.length - moving.length) / services.length
  return { share, says: moving.map(({ rollout, says }) => rollout || says).join('; ') }
}

/** Keeps since when services have replicas and are not well. */
export function stillIll(
  services: readonly ServiceView[],
  before: ReadonlyMap<string, number>,
  nowMs: number,
): ReadonlyMap<string, number> {
  const ill = services.filter(({ state, replicas }) => replicas.length > 0 && state !== 'healthy')
  return new Map(ill.map(({ name }) => [name, before.get(name) ?? nowMs]))
}
