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
    if (!(name in before)) return [`${what} ${name} is new`]
    if (!(name in after)) return [`${what} ${name} is gone`]
    return text(before[name]) === text(after[name]) ? [] : [`${what} ${name} is changed`]
  })
}

/** Says what differs between two environments, a phrase for each thing; empty when nothing does. */
export function describeChanges(before: EnvironmentFile, after: EnvironmentFile): readonly string[] {
  const { routes: routesBefore, ...edgeBefore } = before.edge
  const { routes: routesAfter, ...edgeAfter } = after.edge
  return [
    ...compare('service', before.services, after.services),
    ...compare('route', routesBefore, routesAfter),
    ...compare('edge', edgeBefore, edgeAfter),
    ...compare('person', before.people, after.people),
    ...compare('control', before.control, after.control),
    ...compare('timeline', before.timeline, after.timeline),
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
