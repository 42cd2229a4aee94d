import { z } from 'zod'
import { nearMiss } from './edge.ts'
import { refusedEntry } from './limits.ts'

/** One address that answers for an upstream. */
export const upstreamTarget = z.strictObject({
  /** Replica id or the address itself. */
  id: z.string(),
  /** `http://127.0.0.1:3000`, without a path. */
  origin: z.string(),
})

/** Who answers for a service, and how the edge finds out which of them are well. */
export const upstream = z.strictObject({
  name: z.string(),
  targets: z.array(upstreamTarget).max(256),
  /** Path of the health check; null: a TCP connection is enough. */
  healthPath: z.string().nullable(),
  healthIntervalMs: z.number().int().min(100),
})

/** One rule: what it matches, where it goes, what bounds it. */
export const edgeRoute = z.strictObject({
  /** As written in the environment file: `POST /login`. */
  name: z.string(),
  /** Null: any host. `*.example.com` matches one label. */
  host: z.string().nullable(),
  /** Null: any method. */
  method: z.string().nullable(),
  /** `/login`, `/users/:id`, `/assets/*`, `/*`. */
  path: z.string(),
  upstream: z.string(),
  /** Indexes into `limits`; empty only with a waiver. */
  limits: z.array(z.number().int()),
  maxBodyBytes: z.number().int(),
  /** Until the first byte of the response head. */
  responseTimeoutMs: z.number().int(),
  /** Without a byte in either direction. */
  idleTimeoutMs: z.number().int(),
})

/** A limit of the edge. */
export const edgeLimit = z.strictObject({
  /** `edge.route.POST /login` or `edge.unmatched`; several rules of one route share the name. */
  name: z.string(),
  /** In the notation of limits. */
  rule: z.string(),
})

/** A door to the world. */
export const edgeListener = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  tls: z.strictObject({ certificate: z.string(), key: z.string() }).nullable(),
  /** Answer every request with a redirect to https on this port. */
  redirectToPort: z.number().int().nullable(),
})

/** Everything that the edge needs to know; it keeps the last one on disk and fails static on it. */
export const edgePolicy = z.strictObject({
  /** Hash of the rest, hex; targets included. */
  revision: z.string(),
  environment: z.string(),
  listeners: z.array(edgeListener).min(1).max(16),
  /** Addresses or CIDR ranges whose forwarding headers are believed. */
  trustProxies: z.array(z.string()),
  routes: z.array(edgeRoute).max(2000),
  limits: z.array(edgeLimit).max(4096),
  /** Indexes of the limits for whatever no route matches. */
  unmatchedLimits: z.array(z.number().int()).min(1),
  upstreams: z.array(upstream).max(500),
  /** Keys that the limiter's table holds; decided at start. */
  limiterCapacity: z.number().int(),
  /** Simultaneous connections per edge thread. */
  maxConnections: z.number().int(),
  headerTimeoutMs: z.number().int(),
  maxHeaderBytes: z.number().int(),
})

/** Everything that the edge needs to know. */
export type EdgePolicy = z.infer<typeof edgePolicy>
/** One rule of the edge. */
export type EdgeRoute = z.infer<typeof edgeRoute>
/** A limit of the edge. */
export type EdgeLimit = z.infer<typeof edgeLimit>
/** A door to the world. */
export type EdgeListener = z.infer<typeof edgeListener>
/** Who answers for a service. */
export type Upstream = z.infer<typeof upstream>

/** What one route did in one second. */
export const routeRollUp = z.strictObject({
  /** Route name; `(unmatched)` for the rest, `(malformed)` for what was no HTTP. */
  route: z.string(),
  requests: z.number().int(),
  /** Answers by class: 1xx (upgrades), 2xx, 3xx, 4xx, 5xx; refusals by a limit are counted under `refused` only. */
  classes: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
  refused: z.number().int(),
  /** Requests that a dry-run limit would have refused. */
  wouldRefuse: z.number().int(),
  /** 502, 503 and 504 that the edge itself answered. */
  originFailures: z.number().int(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  /** Milliseconds to the last byte of the response, of admitted requests; bucket to count as in kernel/series. */
  latency: z.strictObject({
    count: z.number().int(),
    sum: z.number(),
    minimum: z.number(),
    maximum: z.number(),
    buckets: z.record(z.string(), z.number()),
  }),
})

/** What one limit did in one second. */
export const limitRollUp = z.strictObject({
  /** Index into the policy's limits, with its name and rule, since policies change. */
  name: z.string(),
  rule: z.string(),
  admitted: z.number().int(),
  refused: z.number().int(),
  wouldRefuse: z.number().int(),
})

/** Something that the edge noticed and that belongs on the timeline. */
export const edgeNote = z.strictObject({
  what: z.enum(['certificate-reloaded', 'certificate-refused', 'thread-replaced']),
  /** File of the certificate; empty for a thread. */
  file: z.string(),
  /** Why; for a reloaded certificate, the end of its validity. */
  message: z.string(),
})

/** Something that the edge noticed. */
export type EdgeNote = z.infer<typeof edgeNote>

/** One second of the edge, all threads together. */
export const edgeReport = z.strictObject({
  /** From 1, without gaps since the edge process started. */
  number: z.number().int(),
  /** Identifies the edge process. */
  edgeId: z.string(),
  /** Start of the second, milliseconds since the epoch. */
  at: z.number(),
  revision: z.string(),
  /** Open client connections at the end of the second. */
  connections: z.number().int(),
  routes: z.array(routeRollUp),
  limits: z.array(limitRollUp),
  /** Target ids that the edge holds for ill. */
  unhealthyTargets: z.array(z.string()),
  /** What happened in this second besides traffic; at most 20. */
  happened: z.array(edgeNote).max(20),
  /** Whom limits refused most since the last report that names any; said every five seconds. */
  offenders: z.array(refusedEntry).max(64).optional(),
  /** Who came near a limit meanwhile, nearest first. */
  nearMisses: z.array(nearMiss).max(32).optional(),
})

/** What the edge answers to `GET /reports?after=N&waitMs=5000`: at most 300 reports, oldest first. */
export const edgeReports = z.strictObject({ edgeId: z.string(), reports: z.array(edgeReport).max(300) })

/** What the edge answers to `GET /reports`. */
export type EdgeReports = z.infer<typeof edgeReports>

/** One second of the edge. */
export type EdgeReport = z.infer<typeof edgeReport>
/** What one route did in one second. */
export type RouteRollUp = z.infer<typeof routeRollUp>
/** What one limit did in one second. */
export type LimitRollUp = z.infer<typeof limitRollUp>

/** What the edge answers to `GET /state`. */
export const edgeState = z.strictObject({
  edgeId: z.string(),
  pid: z.number().int(),
  threads: z.number().int(),
  startedAt: z.number(),
  /** Null before the first policy. */
  revision: z.string().nullable(),
  /** What it noticed, in words: a certificate that does not load, a thread that was replaced. */
  notes: z.array(z.string()),
})

/** What the edge answers to `GET /state`. */
export type EdgeState = z.infer<typeof edgeState>
