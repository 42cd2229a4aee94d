import { createHash } from 'node:crypto'
import type { EdgeBan, EdgePolicy } from '../../../contracts/edge-policy.ts'
import { canonicalJson, type Json } from '../../../kernel/std/index.ts'
import type { EdgeConfig } from '../config.ts'
import type { UpstreamState } from '../ports.ts'
import { compileIdentity } from './identity.ts'
import { LimitBook } from './limits.ts'
import { compileListeners } from './listeners.ts'
import { compileRoutes } from './routes.ts'
import { compileShared } from './shared.ts'
import { trustedRanges } from './trust.ts'

/** What a policy is compiled from besides the section of the environment file. */
export interface PolicyGround {
  /** Name of the environment. */
  readonly environment: string
  readonly upstreams: readonly UpstreamState[]
  /** Where relative paths of files start; absent: they stay as written. */
  readonly directory?: string
  /** Who is banned now; default nobody. */
  readonly bans?: readonly EdgeBan[]
}

const healthIntervalMs = 2000
const maxHeaderBytes = 16_384

/**
 * First digits of the hash of a policy without the addresses of replicas and without bans: it changes when the file
 * does.
 */
export function rulesHash(policy: EdgePolicy): string {
  const { revision: _, upstreams, bans: __, ...rest } = policy
  const names = upstreams.map(({ name, healthPath }) => ({ name, healthPath }))
  return hash({ ...rest, upstreams: names }).slice(0, 12)
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value as Json))
    .digest('hex')
}

/** The limits that belong to no route. */
function compileCommon(config: EdgeConfig, book: LimitBook) {
  const add = (key: 'unmatched' | 'upgrades' | 'errors', more: object = {}): number[] =>
    book.add({ path: `edge.${key}`, name: `edge.${key}`, written: config[key], ...more })
  return {
    unmatchedLimits: add('unmatched', { mayLease: true }),
    upgradeLimits: add('upgrades', { mayLease: true }),
    errorLimits: add('errors'),
  }
}

/** Services that are asked by the edge itself. */
const namedBy = (identity: EdgePolicy['identity']): readonly string[] =>
  typeof identity?.jwt?.jwks === 'object' ? [identity.jwt.jwks.service] : []

function compileUpstreams(upstreams: readonly UpstreamState[], used: ReadonlySet<string>) {
  return upstreams
    .filter(({ name }) => used.has(name))
    .map(({ name, targets, healthPath }) => ({
      name,
      targets: targets.map(({ id, origin, group = '', weight = 100 }) => ({ id, origin, group, weight })),
      healthPath,
      healthIntervalMs,
    }))
}

/**
 * Compiles the section into what the edge process needs to know; pure. The first thing that is wrong is thrown.
 * Errors: `configuration.invalid`, `limit.unreadable`, `limit.unsupported`, with the path of the key.
 */
export function compilePolicy(config: EdgeConfig, ground: PolicyGround): EdgePolicy {
  const book = new LimitBook()
  const routes = compileRoutes(config, ground.upstreams, book)
  const common = compileCommon(config, book)
  const identity = compileIdentity(config, ground, book)
  const used = new Set([...routes.map(({ upstream }) => upstream), ...namedBy(identity)])
  const rest: Omit<EdgePolicy, 'revision'> = {
    environment: ground.environment,
    listeners: compileListeners(config, ground.directory),
    trustProxies: trustedRanges(config.trustProxies),
    routes,
    limits: book.limits,
    ...common,
    allow: config.allow,
    bans: [...(ground.bans ?? [])],
    identity,
    rateLimitFields: config.rateLimitFields,
    ...compileShared(config, { routes, limits: book.limits, ...common }, ground.directory),
    upstreams: compileUpstreams(ground.upstreams, used),
    limiterCapacity: config.keys,
    maxConnections: config.maxConnections,
    headerTimeoutMs: config.headerTimeout,
    maxHeaderBytes,
  }
  return { revision: hash(rest), ...rest }
}
