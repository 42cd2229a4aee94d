import type { ReactNode } from 'react'
import type { RouteView } from '../../data/answers.ts'
import { Meter } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayRoute } from '../../words/answers.ts'
import { sayBytes, sayLatency, sayRate, sayShare } from '../../words/format.ts'

/** The share of a route's requests, refused ones included, that a limit refused. */
export const refusedShare = ({ requestsPerSecond, refusedPerSecond }: RouteView): number =>
  refusedPerSecond / Math.max(1e-9, requestsPerSecond)

const columns: readonly Column<RouteView>[] = [
  {
    key: 'name',
    label: 'route',
    cell: ({ name }) => (
      <a className="code" href={placeOf(['limits', 'route', name])}>
        {sayRoute(name)}
      </a>
    ),
  },
  {
    key: 'to',
    label: 'to',
    cell: ({ to }) =>
      to === '' ? (
        '–'
      ) : (
        <a className="name" href={placeOf(['services', to])}>
          {to}
        </a>
      ),
  },
  {
    key: 'limits',
    label: 'limits',
    plain: true,
    cell: (route) => <Rules route={route} />,
  },
  { key: 'requests', label: 'requests/s', number: true, cell: (route) => sayRate(route.requestsPerSecond) },
  {
    key: 'refused',
    label: 'refused',
    number: true,
    cell: (route) => <RefusedShare share={refusedShare(route)} />,
  },
  { key: 'p50', label: 'p50', number: true, wide: true, cell: ({ p50Ms }) => sayLatency(p50Ms) },
  { key: 'p95', label: 'p95', number: true, cell: ({ p95Ms }) => sayLatency(p95Ms) },
  { key: 'p99', label: 'p99', number: true, wide: true, cell: ({ p99Ms }) => sayLatency(p99Ms) },
  {
    key: 'bytes',
    label: 'out/s',
    number: true,
    wide: true,
    cell: ({ bytesOutPerSecond }) => sayBytes(bytesOutPerSecond),
  },
]

function RefusedShare({ share }: { share: number }): ReactNode {
  if (share === 0) return <span className="soft">0 %</span>
  return (
    <span className="with-meter">
      {share >= 0.01 && <Meter share={share} tone="bite" />}
      <span className={share >= 0.01 ? 'bite' : undefined}>{sayShare(share)}</span>
    </span>
  )
}

function Rules({ route }: { route: RouteView }): ReactNode {
  if (route.unlimitedBecause !== null) {
    return <span className="tag tag-warn">without a limit: {route.unlimitedBecause}</span>
  }
  if (route.limits.length === 0) return <span className="soft">answered with 400</span>
  return <span className="rules">{route.limits.join(', ')}</span>
}

/** Every route: what bounds it and what it does. */
export function RouteTable({ routes }: { routes: readonly RouteView[] }): ReactNode {
  return <Table label="Routes" columns={columns} rows={routes} rowKey={({ name }) => name} />
}
