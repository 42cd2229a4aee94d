import type { EdgeReport } from '../../contracts/edge-policy.ts'

/** Most requests seem to come from one private address that speaks for others. */
export interface LookAlikeSaying {
  readonly address: string
  readonly percent: number
  readonly requests: number
  readonly hint: string
}

/** The seconds that are looked at, oldest first, and what was said last. */
export interface LookAlikeState {
  readonly seconds: readonly {
    readonly at: number
    readonly requests: number
    readonly peers: NonNullable<EdgeReport['lookAlikes']>
  }[]
  readonly said: { readonly address: string; readonly at: number } | null
}

/** Nothing has been seen. */
export const nothingSeen: LookAlikeState = { seconds: [], said: null }

const windowMs = 3 * 60_000
const fewestRequests = 100
/** The same is said again after so long. */
const againMs = 24 * 3_600_000

/**
 * Tells a proxy that nobody trusts: in the last three minutes more than half of the requests, and at least a hundred,
 * came from one private address and named other clients. Then limits per address count everybody as one. Pure.
 */
export function decideLookAlike(
  before: LookAlikeState,
  report: EdgeReport,
): { readonly state: LookAlikeState; readonly saying: LookAlikeSaying | null } {
  const { at, routes, lookAlikes = [] } = report
  const requests = routes.reduce((sum, route) => sum + route.requests, 0)
  const recent = before.seconds.filter((second) => second.at > at - windowMs && second.at <= at)
  const seconds = [...recent, { at, requests, peers: lookAlikes }]
  const state = { seconds, said: before.said }
  const saying = lookAlikes.length === 0 ? null : judge(seconds)
  if (saying === null) return { state, saying: null }
  const { said } = before
  if (said?.address === saying.address && at - said.at < againMs) return { state, saying: null }
  return { state: { seconds, said: { address: saying.address, at } }, saying }
}

function judge(seconds: LookAlikeState['seconds']): LookAlikeSaying | null {
  const total = seconds.reduce((sum, { requests }) => sum + requests, 0)
  const byAddress = new Map<string, number>()
  for (const { address, requests } of seconds.flatMap(({ peers }) => peers)) {
    byAddress.set(address, (byAddress.get(address) ?? 0) + requests)
  }
  const [most] = [...byAddress].sort(([, a], [, b]) => b - a)
  if (most === undefined) return null
  const [address, counted] = most
  const requests = Math.min(counted, total)
  if (requests < fewestRequests || 2 * requests <= total) return null
  return {
    address,
    percent: Math.round((100 * requests) / total),
    requests,
    hint: `if that is your proxy, write trustProxies: ['${address}'] into the section edge, or limits count all its clients as one`,
  }
}
