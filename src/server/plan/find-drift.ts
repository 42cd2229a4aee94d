import { lookUp } from '../../kernel/std/index.ts'
import type { Drift, EnvironmentPlan, EnvironmentStatus } from '../../contracts/environment.ts'

/** What drift is found in. */
export interface DriftScene {
  readonly status: EnvironmentStatus
  /** Null: the file cannot be read or is wrong; `trouble` says why. */
  readonly plan: EnvironmentPlan | null
  readonly trouble: string
  /** Last fact about each service that says it is not as it should be, milliseconds since the epoch. */
  readonly since: Readonly<Record<string, number>>
}

type Item = Drift['items'][number]

/** What is on its way is no drift: it is being mended. */
const underWay = new Set(['waiting', 'starting', 'judging', 'moving'])

function ofServices({ status, since }: DriftScene): readonly Item[] {
  return status.services
    .filter(({ state, phase }) => phase === 'refused' || (state !== 'healthy' && !underWay.has(phase)))
    .map(({ name, says, phase, rollout }) => ({
      object: `service ${name}`,
      says: phase === 'refused' ? rollout : says,
      since: lookUp(since, name) ?? null,
    }))
}

function ofFile({ plan, trouble }: DriftScene): readonly Item[] {
  if (plan === null) return [{ object: 'environment file', says: trouble, since: null }]
  return plan.steps
    .filter(({ differences }) => differences.length > 0)
    .map(({ object, says }) => ({
      object,
      says: `the file has changed and was not applied: ${says}`,
      since: null,
    }))
}

/** What differs between what was applied and what is; pure. */
export function findDrift(scene: DriftScene): Drift {
  const items = [...ofServices(scene), ...ofFile(scene)]
  const says =
    items.length === 0
      ? 'Nothing has drifted: what runs is what was applied, and the file says the same'
      : `${items.length === 1 ? '1 thing differs' : `${items.length} things differ`} from what was applied`
  return { says, items }
}
