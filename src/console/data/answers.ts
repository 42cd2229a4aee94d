import type { Operations } from '../../contracts/index.ts'

/** A route with what it did in the last minute. */
export type RouteView = Operations['edge.routes']['output']['routes'][number]

/** A limit of the edge and its use. */
export type LimitView = Operations['edge.limits']['output']['limits'][number]

/** Totals of the last minute. */
export type TrafficView = Operations['edge.traffic']['output']
/** A group of a service's replicas and what it did in the last minute. */
export type GroupView = NonNullable<TrafficView['groups']>[number]
