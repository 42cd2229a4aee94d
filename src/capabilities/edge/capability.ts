import type { EdgeReport } from '../../contracts/edge-policy.ts'
import type { Capability, Context, Finding } from '../../kernel/capability/index.ts'
import type { View } from '../../kernel/timeline/index.ts'
import { banFold, bansOf, type BanView } from './bans.ts'
import type { EdgeConfig } from './config.ts'
import { followReports } from './follow.ts'
import { bindOperations } from './operations.ts'
import { createNearMissBook, SpanTally } from './offenders/index.ts'
import { compilePolicy, findBroadTrust, findExpiredWaivers } from './policy/index.ts'
import type { EdgePorts } from './ports.ts'
import { pushPolicies } from './push.ts'
import { edgeFold } from './view.ts'

/** What the capability is made from. */
export interface EdgeParts {
  /** Name of the environment. */
  readonly name: string
  /** Absolute directory of the environment file. */
  readonly directory: string
  readonly section: EdgeConfig
}

const windowMs = 60_000

/** Creates the part of the edge that lives in control: it pushes policies and follows reports. */
export function createEdge(parts: EdgeParts, context: Context, ports: EdgePorts): Capability {
  const { section, name, directory } = parts
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  const recent = createWindow(context)
  const nearMisses = createNearMissBook()
  const spans = new SpanTally()
  let bans: View<BanView> = { state: banFold.initial }
  const compile = () => {
    const upstreams = ports.upstreams.current()
    return compilePolicy(section, { environment: name, directory, upstreams, bans: bansOf(bans.state) })
  }
  const routes = Object.entries(section.routes)
  const waivers = new Map(
    routes.flatMap(([route, { unlimited }]) =>
      unlimited === undefined ? [] : [[route, unlimited.because] as const],
    ),
  )
  return {
    name: 'edge',
    operations: bindOperations({ context, compile, reports: recent.reports, waivers, nearMisses, spans }),
    check: async () =>
      [...findExpiredWaivers(section, context.clock.now()), ...findBroadTrust(section)].map(asFinding),
    start: async () => {
      const view = await context.view(edgeFold)
      bans = await context.view(banFold)
      const { signal } = stopping
      const serviceOf = new Map(routes.map(([route, { to }]) => [route, to]))
      const { dataPlane } = ports
      const onReport = (report: EdgeReport): void => {
        recent.add(report)
        nearMisses.add(report)
      }
      running.push(
        pushPolicies({ context, ports, view, compile, signal }),
        followReports({ context, dataPlane, view, serviceOf, spans, onReport, signal }),
      )
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

function asFinding(waiver: {
  readonly path: string
  readonly message: string
  readonly hint: string
}): Finding {
  return { severity: 'warning', ...waiver }
}

/** The reports of the last minute. */
function createWindow({ clock }: Context): {
  readonly add: (report: EdgeReport) => void
  readonly reports: () => readonly EdgeReport[]
} {
  let kept: readonly EdgeReport[] = []
  const prune = (): readonly EdgeReport[] =>
    kept.filter(({ at }) => at > clock.now() - windowMs - 1000).slice(-60)
  return {
    add: (report) => {
      kept = [...kept, report].slice(-60)
    },
    reports: () => {
      kept = prune()
      return kept
    },
  }
}
