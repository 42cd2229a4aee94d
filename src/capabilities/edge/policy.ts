import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { EdgeLimit, EdgeListener, EdgePolicy, EdgeRoute } from '../../contracts/edge-policy.ts'
import { parseLimit, printLimit, type LimitRule } from '../../kernel/limit/index.ts'
import { asHoldfastError, canonicalJson, closest, HoldfastError, type Json } from '../../kernel/std/index.ts'
import type { EdgeConfig, RouteConfig } from './config.ts'
import type { UpstreamState } from './ports.ts'
import { parseRouteKey, sameness } from './route-key.ts'

/** What a policy is compiled from besides the section of the environment file. */
export interface PolicyGround {
  /** Name of the environment. */
  readonly environment: string
  readonly upstreams: readonly UpstreamState[]
  /** Where relative paths of certificates start; absent: they stay as written. */
  readonly directory?: string
}

const healthIntervalMs = 2000
const maxHeaderBytes = 16_384
/** Things that the edge can count by; more come with users and sessions. */
const dimensions = ['ip', 'route', 'host']

function invalid(path: string, message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `${path}: ${message}`,
    hint,
    path,
  })
}

function readLimit(path: string, text: string): LimitRule {
  const rule = parseOr(path, text)
  if (rule.queue !== null) throw invalid(path, 'the edge cannot queue yet', 'leave "queue ..." out')
  const odd = rule.per.find((dimension) => !dimensions.includes(dimension))
  if (odd === undefined) return rule
  throw invalid(
    path,
    `the edge cannot count per ${odd} yet`,
    `count per ${dimensions.join(', per ')}, or for everybody`,
  )
}

function parseOr(path: string, text: string): LimitRule {
  try {
    return parseLimit(text)
  } catch (error) {
    const { code, message, hint } = asHoldfastError(error)
    throw new HoldfastError({ code, kind: 'user', message: `${path}: ${message}`, hint, path, cause: error })
  }
}

function readLimits(path: string, name: string, written: string | readonly string[]): readonly EdgeLimit[] {
  const texts = typeof written === 'string' ? [written] : written
  const rules = texts.map((text, index) =>
    readLimit(typeof written === 'string' ? path : `${path}.${index}`, text),
  )
  if (rules.every(({ dryRun }) => dryRun)) {
    throw invalid(path, 'a dry run refuses nothing, so nothing bounds this', 'add a limit that is no dry run')
  }
  const printed = rules.map(printLimit)
  // A dry run shares its account with the same rule in earnest, so that it can go live without starting afresh.
  const bounds = printed.map((rule) => rule.replace(/^dry run /, ''))
  const twice = bounds.find((rule, index) => bounds.indexOf(rule) !== index)
  if (twice !== undefined) throw invalid(path, `"${twice}" stands there twice`, 'take one of them out')
  return printed.map((rule) => ({ name, rule }))
}

function limitsOfRoute(name: string, route: RouteConfig): readonly EdgeLimit[] {
  const path = `edge.routes.${name}`
  if (route.limit !== undefined && route.unlimited !== undefined) {
    throw invalid(`${path}.unlimited`, 'it has a limit as well', 'keep one of the two')
  }
  if (route.limit !== undefined) return readLimits(`${path}.limit`, `edge.route.${name}`, route.limit)
  if (route.unlimited !== undefined) return []
  throw invalid(
    `${path}.limit`,
    'nothing bounds this route',
    'add limit: "120/min per ip", or unlimited: { because: "...", until: "2027-03-31" }',
  )
}

function checkService(name: string, service: string, upstreams: readonly UpstreamState[]): void {
  const names = upstreams.map((upstream) => upstream.name)
  if (names.includes(service)) return
  const meant = closest(service, names)
  const known = names.length === 0 ? 'no service listens' : `the services that listen are ${names.join(', ')}`
  throw invalid(
    `edge.routes.${name}.to`,
    `there is no service "${service}" that listens`,
    meant === undefined ? known : `did you mean "${meant}"?`,
  )
}

function compileRoutes(
  config: EdgeConfig,
  ground: PolicyGround,
): { routes: EdgeRoute[]; limits: EdgeLimit[] } {
  const limits: EdgeLimit[] = []
  const seen = new Map<string, string>()
  const routes = Object.entries(config.routes).map(([name, route]): EdgeRoute => {
    const key = parseRouteKey(name)
    const earlier = seen.get(sameness(key))
    if (earlier !== undefined) {
      throw invalid(
        `edge.routes.${name}`,
        `it matches the same requests as "${earlier}"`,
        'take one of them out',
      )
    }
    seen.set(sameness(key), name)
    checkService(name, route.to, ground.upstreams)
    const own = limitsOfRoute(name, route)
    limits.push(...own)
    return {
      name,
      ...key,
      upstream: route.to,
      limits: own.map((_, index) => limits.length - own.length + index),
      maxBodyBytes: route.maxBody,
      responseTimeoutMs: route.responseTimeout,
      idleTimeoutMs: route.idleTimeout,
    }
  })
  return { routes, limits }
}

function compileListeners(config: EdgeConfig, directory: string | undefined): EdgeListener[] {
  const seen = new Set<string>()
  const path = (file: string): string => (directory === undefined ? file : resolve(directory, file))
  return config.listen.map(({ host, port, tls, redirectTo }, index) => {
    const place = `${host}:${port}`
    if (seen.has(place)) {
      throw invalid(`edge.listen.${index}`, `${place} stands there twice`, 'take one of them out')
    }
    seen.add(place)
    if (tls !== undefined && redirectTo !== undefined) {
      throw invalid(
        `edge.listen.${index}.redirectTo`,
        'this listener serves HTTPS itself',
        'redirect from a listener without tls',
      )
    }
    return {
      host,
      port,
      tls: tls === undefined ? null : { certificate: path(tls.certificate), key: path(tls.key) },
      redirectToPort: redirectTo ?? null,
    }
  })
}

/** First digits of the hash of a policy without the addresses of replicas: it changes when the file does. */
export function rulesHash(policy: EdgePolicy): string {
  const { revision: _, upstreams, ...rest } = policy
  const names = upstreams.map(({ name, healthPath }) => ({ name, healthPath }))
  return hash({ ...rest, upstreams: names }).slice(0, 12)
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value as Json))
    .digest('hex')
}

/**
 * Compiles the section into what the edge process needs to know; pure. The first thing that is wrong is thrown.
 * Errors: `configuration.invalid`, `limit.unreadable`, `limit.unsupported`, with the path of the key.
 */
export function compilePolicy(config: EdgeConfig, ground: PolicyGround): EdgePolicy {
  const { routes, limits } = compileRoutes(config, ground)
  const unmatched = readLimits('edge.unmatched', 'edge.unmatched', config.unmatched)
  const used = new Set(routes.map(({ upstream }) => upstream))
  const rest: Omit<EdgePolicy, 'revision'> = {
    environment: ground.environment,
    listeners: compileListeners(config, ground.directory),
    trustProxies: config.trustProxies,
    routes,
    limits: [...limits, ...unmatched],
    unmatchedLimits: unmatched.map((_, index) => limits.length + index),
    upstreams: ground.upstreams
      .filter(({ name }) => used.has(name))
      .map(({ name, targets, healthPath }) => ({
        name,
        targets: targets.map(({ id, origin }) => ({ id, origin })),
        healthPath,
        healthIntervalMs,
      })),
    limiterCapacity: config.keys,
    maxConnections: config.maxConnections,
    headerTimeoutMs: config.headerTimeout,
    maxHeaderBytes,
  }
  return { revision: hash(rest), ...rest }
}

/** A waiver of a route whose last day is over. */
export interface ExpiredWaiver {
  readonly path: string
  readonly message: string
  readonly hint: string
}

/** The waivers that no longer hold at `nowMs` (milliseconds since the epoch; days end at midnight UTC). */
export function findExpiredWaivers(config: EdgeConfig, nowMs: number): readonly ExpiredWaiver[] {
  const dayMs = 86_400_000
  return Object.entries(config.routes)
    .filter(([, { unlimited }]) => unlimited !== undefined && Date.parse(unlimited.until) + dayMs <= nowMs)
    .map(([name, { unlimited }]) => ({
      path: `edge.routes.${name}.unlimited.until`,
      message: `the waiver ended on ${unlimited?.until}`,
      hint: 'give the route a limit, or say why it still needs none and until when',
    }))
}
