import { canonicalJson, type Json } from '../../kernel/std/index.ts'
import type { EnvironmentFile } from './config.ts'

const text = (value: unknown): string => canonicalJson((value ?? null) as Json)

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
