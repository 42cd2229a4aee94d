import type { ReactNode } from 'react'
import type { LimitView } from '../../data/answers.ts'
import { Empty, Meter } from '../../parts/basics.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLimit } from '../../words/answers.ts'
import { sayCount, sayShare } from '../../words/format.ts'

const mostShown = 8

/** The limits that refuse somebody right now, the hardest biting first. */
export function BitingLimits(props: {
  readonly limits: readonly LimitView[]
  readonly known: boolean
}): ReactNode {
  if (!props.known) return null
  if (props.limits.length === 0) {
    return <Empty says="No limit refused anybody in the last minute." command="holdfast edge limits" />
  }
  return (
    <ul className="biting">
      {props.limits.slice(0, mostShown).map((limit) => (
        <Biting key={`${limit.name} ${limit.rule}`} limit={limit} />
      ))}
    </ul>
  )
}

function Biting({ limit }: { limit: LimitView }): ReactNode {
  const refused = limit.refused.lastMinute
  const share = refused / Math.max(1, refused + limit.admitted.lastMinute)
  return (
    <li>
      <a href={placeOf(['limits', 'limit', limit.name])}>{sayLimit(limit.name)}</a>
      <span className="soft">{limit.rule}</span>
      <Meter share={share} tone="bite" />
      <span className="biting-count">
        {sayCount(refused)} refused in the last minute, {sayShare(share)} of what came
      </span>
    </li>
  )
}
