import { z } from 'zod'
import { nearMiss, sender } from './edge.ts'
import { refusedEntry } from './limits.ts'

/** One address that answers for an upstream. */
export const upstreamTarget = z.strictObject({
  /** Replica id or the address itself. */
  id: z.string(),
  /** `http://127.0.0.1:3000`, without a path. */
  origin: z.string(),
  /** What it is counted with, as the hash of a specification; empty: with all others of the upstream that have none. */
  group: z.string().max(64).default(''),
  /** Its share of new requests, beside the weights of the upstream's others; 0: nothing, if any other has more. */
  weight: z.number().int().min(0).max(1000).default(100),
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
  /** Units that a request takes from each rate, window and calendar of the route. */
  cost: z.number().int().min(1),
  /** Subjects and ranges that the limits pass over. */
  allow: z.array(z.string()).max(1000),
  /** Indexes of the limits for messages of a WebSocket from the client; empty: messages are not counted. */
  messageLimits: z.array(z.number().int()),
  /** Whether admitted answers say what is left, too. */
  fields: z.boolean(),
})

/** A limit of the edge. */
export const edgeLimit = z.strictObject({
  /** `edge.route.POST /login` or `edge.unmatched`; several rules of one route share the name. */
  name: z.string(),
  /** In the notation of limits. */
  rule: z.string(),
})

/** Where the edge finds a token, a cookie or a header that proves something. */
export const proofPlace = z.discriminatedUnion('kind', [
  /** `Authorization: Bearer <token>`. */
  z.strictObject({ kind: z.literal('authorization') }),
  z.strictObject({ kind: z.literal('header'), name: z.string() }),
  z.strictObject({ kind: z.literal('cookie'), name: z.string() }),
])

/** Where the edge finds a secret: an absolute path, or a variable of its process. */
export const secretPlace = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), file: z.string() }),
  z.strictObject({ kind: z.literal('variable'), variable: z.string() }),
])

/** By what the edge knows a user. Secrets are named here and read by the edge; none is in a policy. */
export const edgeIdentity = z.strictObject({
  /** JSON Web Tokens (RFC 7519), verified with public keys (RFC 7517). */
  jwt: z
    .strictObject({
      /** An https address, an absolute path, or an upstream whose targets hand them out. */
      jwks: z.union([z.string(), z.strictObject({ service: z.string(), path: z.string() })]),
      issuer: z.string().nullable(),
      /** Any of them; empty: any audience. */
      audience: z.array(z.string()),
      claim: z.string(),
      from: proofPlace,
    })
    .nullable(),
  /** The file says names and SHA-256 of keys. */
  apiKeys: z.strictObject({ header: z.string(), file: z.string() }).nullable(),
  /** Cookies as express-session signs them. */
  session: z
    .strictObject({
      cookie: z.string(),
      secret: secretPlace,
    })
    .nullable(),
  /** Whether the edge gives passports to who behaved. */
  passport: z.boolean(),
  /** Indexes of the limits for proofs that have to be verified, and for passports that are given. */
  verificationLimit: z.number().int(),
  passportLimit: z.number().int(),
})

/** Somebody who gets no answer but 429 until a time. */
export const edgeBan = z.strictObject({
  /** `ip:203.0.113.7`, `ip:203.0.113.0/24`, `user:42`, `key:partner`. */
  subject: z.string(),
  /** Milliseconds since the epoch. */
  until: z.number().min(0).max(8_640_000_000_000_000),
  because: z.string(),
})

/** A door to the world. */
export const edgeListener = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  tls: z.strictObject({ certificate: z.string(), key: z.string() }).nullable(),
  /** Answer every request with a redirect to https on this port. */
  redirectToPort: z.number().int().nullable(),
})

/** Limits that several edges keep together, in a store of counters that all of them reach. */
export const sharedLimits = z.strictObject({
  /** Where the store is: `redis://127.0.0.1:6379/0`, `rediss://...`, or the path of a unix socket. */
  url: z.string(),
  /** Where its password is; absent: it has none. */
  password: secretPlace.optional(),
  /** Whether every request asks the store, or threads take slices and spend them. */
  mode: z.enum(['exact', 'lease']),
  /** How many edges there are. */
  edges: z.number().int().min(1).max(1000),
  /** The limits that are shared, by their index. */
  limits: z.array(
    z.strictObject({
      limit: z.number().int(),
      /** What each edge does about it while the store does not answer. */
      whenDown: z.enum(['local-share', 'open', 'closed']),
      /** Where it is another than that of the rest. */
      mode: z.enum(['exact', 'lease']).optional(),
    }),
  ),
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
  /** Indexes of the limits for WebSockets that are opened, beside those of the route. */
  upgradeLimits: z.array(z.number().int()),
  /** Indexes of the limits for answers of class 4xx and 5xx; who has used one up is refused. */
  errorLimits: z.array(z.number().int()),
  /** Subjects and ranges that no limit of a route holds for. */
  allow: z.array(z.string()).max(1000),
  bans: z.array(edgeBan).max(10_000),
  /** Null: nobody is known but by address. */
  identity: edgeIdentity.nullable(),
  /** In which syntax refusals (and answers that ask for it) say how a limit stands. */
  rateLimitFields: z.enum(['draft-11', 'legacy', 'off']),
  upstreams: z.array(upstream).max(500),
  /** Absent: this edge counts alone. */
  shared: sharedLimits.optional(),
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
/** By what the edge knows a user. */
export type EdgeIdentity = z.infer<typeof edgeIdentity>
/** Where a secret is found. */
export type SecretPlace = z.infer<typeof secretPlace>
/** Where a proof is found. */
export type ProofPlace = z.infer<typeof proofPlace>
/** Somebody who is banned. */
export type EdgeBan = z.infer<typeof edgeBan>
/** A door to the world. */
export type EdgeListener = z.infer<typeof edgeListener>
/** Who answers for a service. */
export type Upstream = z.infer<typeof upstream>

/** Durations of one second in milliseconds; bucket to count as in kernel/series. */
export const latencyRollUp = z.strictObject({
  count: z.number().int(),
  sum: z.number(),
  minimum: z.number(),
  maximum: z.number(),
  buckets: z.record(z.string(), z.number()),
})

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
  /** To the last byte of the response, of admitted requests; streams of events, which end by chance, left out. */
  latency: latencyRollUp,
})

/** What one group of an upstream's targets did in one second. */
export const groupRollUp = z.strictObject({
  upstream: z.string(),
  group: z.string(),
  /** Requests sent there, each try for itself; WebSockets that were opened included. */
  requests: z.number().int(),
  /**
   * Those of them that failed by the target: answered with 5xx, not reached, no answer in time, or none that was valid and
   * complete. Also those that another target answered then.
   */
  failures: z.number().int(),
  /** From sending to the first byte of the answer's head; WebSockets left out. */
  latency: latencyRollUp,
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
  what: z.enum([
    'certificate-reloaded',
    'certificate-refused',
    'thread-replaced',
    'identity-reloaded',
    'identity-refused',
    'counters-lost',
    'counters-found',
  ]),
  /** File of the certificate, or file or address of keys; empty for a thread. */
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
  /** Only groups of targets to which something was sent, or from which something came. */
  groups: z.array(groupRollUp).max(1000).optional(),
  /** Target ids that the edge holds for ill. */
  unhealthyTargets: z.array(z.string()),
  /** What happened in this second besides traffic; at most 20. */
  happened: z.array(edgeNote).max(20),
  /** Whom limits refused most since the last report that names any; said every five seconds. */
  offenders: z.array(refusedEntry).max(64).optional(),
  /** Who came near a limit meanwhile, nearest first. */
  nearMisses: z.array(nearMiss).max(32).optional(),
  /** Who sent most requests in a minute that has ended (or, when a policy ended, in its part of one). */
  senders: z
    .array(
      sender.extend({
        /** Start of the minute, milliseconds since the epoch. */
        minute: z.number(),
        requests: z.number().int(),
      }),
    )
    .max(192)
    .optional(),
  /** Private peers that are no trusted proxies and yet speak for others, and how many requests came from each. */
  lookAlikes: z
    .array(z.strictObject({ address: z.string(), requests: z.number().int() }))
    .max(16)
    .optional(),
})

/** What the edge answers to `GET /reports?after=N&waitMs=5000`: at most 300 reports, oldest first. */
export const edgeReports = z.strictObject({ edgeId: z.string(), reports: z.array(edgeReport).max(300) })

/** What the edge answers to `GET /reports`. */
export type EdgeReports = z.infer<typeof edgeReports>

/** One second of the edge. */
export type EdgeReport = z.infer<typeof edgeReport>
/** What somebody sent in a minute. */
export type SenderMinute = NonNullable<EdgeReport['senders']>[number]
/** What one route did in one second. */
export type RouteRollUp = z.infer<typeof routeRollUp>
/** Durations of one second. */
export type LatencyRollUp = z.infer<typeof latencyRollUp>
/** What one group of targets did in one second. */
export type GroupRollUp = z.infer<typeof groupRollUp>
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

/** What the edge answers to `GET /policies`: the one that it serves on, and the one that it would serve on after a restart. */
export const edgePolicies = z.strictObject({
  /** Null before the first policy. */
  enforced: z.json(),
  /** Null: there is no file, or it cannot be read. */
  kept: z
    .strictObject({
      /** Milliseconds since the epoch. */
      modifiedAt: z.number(),
      /** As it lies there, unchecked; null: it is no JSON. */
      policy: z.json(),
    })
    .nullable(),
})

/** What the edge answers to `GET /policies`. */
export type EdgePolicies = z.infer<typeof edgePolicies>
