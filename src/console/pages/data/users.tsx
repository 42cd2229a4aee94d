import type { ReactNode } from 'react'
import { placeOf } from '../../router/router.ts'

/** Where an object of the file (`service web`, `job migrate`) is shown. */
function hrefOf(object: string): string {
  const [kind = '', name = ''] = object.split(' ')
  return kind === 'service' ? placeOf(['services', name]) : placeOf(['runs'])
}

/** A service or a job that uses data, leading to it. */
export function User({ object }: { object: string }): ReactNode {
  const [kind = '', name = ''] = object.split(' ')
  return (
    <>
      {kind !== 'service' && <span className="soft">{kind} </span>}
      <a href={hrefOf(object)}>{name}</a>
    </>
  )
}

/** Who uses something, in a line. */
export function Users({ objects }: { objects: readonly string[] }): ReactNode {
  if (objects.length === 0) return <span className="soft">nobody</span>
  return objects.map((object, index) => (
    <span key={object}>
      {index > 0 && ', '}
      <User object={object} />
    </span>
  ))
}
