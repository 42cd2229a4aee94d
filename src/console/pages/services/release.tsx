import type { ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { StateWord } from '../../parts/basics.tsx'
import { placeOf } from '../../router/router.ts'
import { sayReleases, stateOfPhase } from '../../words/changes.ts'

type Service = EnvironmentStatus['services'][number]

/** Which release of a service runs, what is on the way, and the way to its deploys. */
export function Release({ service }: { service: Service }): ReactNode {
  if (service.command === null) return null
  const { name, phase, rollout } = service
  const runs = sayReleases(service)
  return (
    <>
      {phase !== 'steady' && (
        <StateWord state={stateOfPhase(phase)}>{rollout === '' ? phase : rollout}</StateWord>
      )}
      <span>
        {runs === '' ? 'no release yet' : `release ${runs}`},{' '}
        <a href={placeOf(['deploys', name])}>
          its deploys<span className="hidden"> ({name})</span>
        </a>
      </span>
    </>
  )
}
