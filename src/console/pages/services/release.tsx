import type { ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { StateWord } from '../../parts/basics.tsx'
import { placeOf } from '../../router/router.ts'
import { sayReleases, stateOfPhase } from '../../words/changes.ts'
import { placeOfDatabase } from '../../words/data.ts'

type Service = EnvironmentStatus['services'][number]

/** Which release of a service runs, how far the next one is (what it `says` has the words), and the way to its deploys. */
export function Release({ service }: { service: Service }): ReactNode {
  const { name, phase, database } = service
  if (database !== undefined) return <DataOf name={name} />
  if (service.command === null) return null
  const runs = sayReleases(service)
  return (
    <>
      {phase !== 'steady' && <StateWord state={stateOfPhase(phase)}>{phase}</StateWord>}
      <span>
        {runs === '' ? 'no release yet' : `release ${runs}`},{' '}
        <a href={placeOf(['deploys', name])}>
          its deploys<span className="hidden"> ({name})</span>
        </a>
      </span>
    </>
  )
}

/** A database has no releases; what is known of it stands with the data. */
function DataOf({ name }: { name: string }): ReactNode {
  return (
    <span>
      a database,{' '}
      <a href={placeOfDatabase(name)}>
        its data<span className="hidden"> ({name})</span>
      </a>
    </span>
  )
}
