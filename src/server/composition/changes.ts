import { canonicalJson, type Json } from '../../kernel/std/index.ts'
import type { EnvironmentFile } from './config.ts'

const text = (value: unknown): string => canonicalJson((value ?? null) as Json)

function compare(
  what: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => {
    if (!Object.hasOwn(before, name)) return [`${what} ${name} is new`]
    if (!Object.hasOwn(after, name)) return [`${what} ${name} is gone`]
    return text(before[name]) === text(after[name]) ? [] : [`${what} ${name} is changed`]
  })
}

/** Says what differs between two environments, a phrase for each thing; empty when nothing does. */
export function describeChanges(before: EnvironmentFile, after: EnvironmentFile): readonly string[] {
  const { services: servicesBefore, edge: wholeEdgeBefore, limits: limitsBefore, ...restBefore } = before
  const { services: servicesAfter, edge: wholeEdgeAfter, limits: limitsAfter, ...restAfter } = after
  const { people: peopleBefore, control: controlBefore, timeline: timelineBefore, ...topBefore } = restBefore
  const { people: peopleAfter, control: controlAfter, timeline: timelineAfter, ...topAfter } = restAfter
  const { routes: routesBefore, ...edgeBefore } = wholeEdgeBefore
  const { routes: routesAfter, ...edgeAfter } = wholeEdgeAfter
  return [
    ...compare('environment', topBefore, topAfter),
    ...compare('service', servicesBefore, servicesAfter),
    ...compare('route', routesBefore, routesAfter),
    ...compare('edge', edgeBefore, edgeAfter),
    ...compare('limit', limitsBefore, limitsAfter),
    ...compare('person', peopleBefore, peopleAfter),
    ...compare('control', controlBefore, controlAfter),
    ...compare('timeline', timelineBefore, timelineAfter),
  ]
}

/** Whether a change needs sockets that only a fresh `holdfast up` can open. */
export function needsNewSockets(before: EnvironmentFile, after: EnvironmentFile): boolean {
  const places = ({ edge, control }: EnvironmentFile): unknown => [
    edge.listen.map(({ host, port }) => [host, port]),
    control.host,
    control.port,
    edge.threads,
  ]
  return text(places(before)) !== text(places(after))
}
