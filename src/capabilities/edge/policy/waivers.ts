import type { EdgeConfig } from '../config.ts'
import type { PolicyFinding } from './trust.ts'

const dayMs = 86_400_000

/** The waivers that no longer hold at `nowMs` (milliseconds since the epoch; days end at midnight UTC). */
export function findExpiredWaivers(config: EdgeConfig, nowMs: number): readonly PolicyFinding[] {
  return Object.entries(config.routes)
    .filter(([, { unlimited }]) => unlimited !== undefined && Date.parse(unlimited.until) + dayMs <= nowMs)
    .map(([name, { unlimited }]) => ({
      path: `edge.routes.${name}.unlimited.until`,
      message: `the waiver ended on ${unlimited?.until}`,
      hint: 'give the route a limit, or say why it still needs none and until when',
    }))
}
