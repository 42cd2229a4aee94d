import { z } from 'zod'
import { duration, serviceName, waiver } from '../../contracts/shapes.ts'
import { parseSize } from '../../kernel/std/index.ts'
import { identityConfig } from './identity/config.ts'
import { isSubjectOrRange } from './pipeline/keys/subjects.ts'
import { knownProxyNames } from './policy/known-proxies.ts'

const mostTimeoutMs = 24 * 3_600_000

const boundedDuration = duration.refine(
  (durationMs) => durationMs >= 100 && durationMs <= mostTimeoutMs,
  'from 100ms to 1d',
)

/** What a body of any size is called in numbers. */
export const anyBodyBytes = Number.MAX_SAFE_INTEGER

const bodySize = z
  .string()
  .refine(
    (text) => text === 'any' || parseSize(text) !== undefined,
    'write a size, as "512KiB" or "10MiB", or "any"',
  )
  .transform((text) => (text === 'any' ? anyBodyBytes : (parseSize(text) ?? 0)))

const port = z.number().int().min(1).max(65_535)

const listener = z.strictObject({
  port: port.describe('port to listen on; below 1024 needs permission'),
  host: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 or :: is every one'),
  tls: z
    .strictObject({
      certificate: z.string().describe('file with the certificate chain, PEM'),
      key: z.string().describe('file with the private key, PEM'),
    })
    .optional()
    .describe('serves HTTPS with this certificate, which is read again when the files change'),
  redirectTo: port.optional().describe('answers every request with a redirect to HTTPS on this port'),
})

const limit = z.union([z.string(), z.array(z.string()).min(1).max(8)])

const allow = z
  .array(
    z.string().refine((text) => isSubjectOrRange(text), {
      error:
        'write an address, a range as "10.0.0.0/8", or a subject as "user:monitor", "key:partner" or "ip:203.0.113.7"',
    }),
  )
  .max(1000)
  .default([])

const mode = z
  .enum(['exact', 'lease'])
  .describe(
    '"exact": every request asks; "lease": threads take slices of rates and spend them, which is faster and lets a known number more through',
  )

const whenDown = z
  .enum(['local-share', 'open', 'closed'])
  .describe('without Redis: each edge keeps its part of each limit, the whole of it, or lets nothing through')

const route = z.strictObject({
  to: serviceName.describe('the service that answers'),
  limit: limit
    .optional()
    .describe(
      'what bounds it, as "5/min per ip"; of several, each must admit; count per ip, prefix, user, key, client, route, host, method, header NAME or cookie NAME',
    ),
  unlimited: waiver.optional().describe('instead of a limit: why there is none, and until when'),
  cost: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(1)
    .describe('units that one request takes of each limit; of what counts at once it takes one'),
  allow: allow.describe(
    'who is counted and never refused by the limits of this route, as "10.0.0.0/8" or "user:monitor"',
  ),
  messages: limit
    .optional()
    .describe(
      'what bounds messages that a client sends on a WebSocket, as "5/s per client"; beyond it the edge reads no more for up to 5 s, then closes with 1008',
    ),
  fields: z
    .boolean()
    .default(false)
    .describe(
      'whether answers say how the limits stand, too (RateLimit and RateLimit-Policy), not refusals only',
    ),
  shared: z
    .union([z.boolean(), z.strictObject({ mode: mode.optional(), whenDown: whenDown.optional() })])
    .default(true)
    .describe(
      'whether its limits, of messages too, count on all edges together, where "edge.shared" says how; { mode, whenDown }, or one of them, for another way',
    ),
  maxBody: bodySize.prefault('16MiB').describe('largest body of a request; "any" for whatever comes'),
  responseTimeout: boundedDuration
    .prefault('30s')
    .describe('how long the service may take to begin its answer'),
  idleTimeout: boundedDuration
    .prefault('60s')
    .describe('how long nothing may move while bodies are under way'),
})

const secretFile = z.string().min(1).max(4096)
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable')

const shared = z
  .strictObject({
    redis: z
      .string()
      .regex(/^(?:rediss?:\/\/|\/)/, 'write redis://host:port, rediss://host:port or the path of a socket')
      .refine((url) => !holdsPassword(url), {
        error: 'whoever reads the file would read the password: name it in passwordFile or passwordVariable',
      })
      .describe(
        'where Redis or Valkey is, as "redis://127.0.0.1:6379" or "rediss://user@host:6379", or the path of its unix socket',
      ),
    passwordFile: secretFile.optional().describe('file with its password, read again when it changes'),
    passwordVariable: variableName
      .optional()
      .describe('variable with its password, of the shell that runs "holdfast up"'),
    mode: mode.default('exact'),
    whenDown: whenDown.default('local-share'),
    edges: z.number().int().min(1).max(1000).describe('how many edges there are'),
  })
  .refine(
    ({ passwordFile, passwordVariable }) => passwordFile === undefined || passwordVariable === undefined,
    {
      error: 'give one of passwordFile and passwordVariable',
    },
  )

/** In the place of URLs for it, or as an option behind the address or path, which the client would take as well. */
function holdsPassword(url: string): boolean {
  return /^rediss?:\/\/[^@]*:[^@]*@/.test(url) || /[?&]password=/i.test(url)
}

/** The section `edge` of the environment file. */
export const edgeConfig = z
  .strictObject({
    listen: z
      .array(listener)
      .min(1)
      .max(16)
      .prefault([{ port: 8080 }])
      .describe('where the edge listens'),
    trustProxies: z
      .array(
        z.union([z.enum(knownProxyNames), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
          error: `write an address, a range as "10.0.0.0/8", or one of ${knownProxyNames.join(', ')}`,
        }),
      )
      .max(1000)
      .default([])
      .describe(
        'proxies in front, whose X-Forwarded-For is believed: addresses, ranges, or the names cloudflare, fastly, private, loopback',
      ),
    identity: identityConfig,
    allow: allow.describe(
      'who is counted and never refused by a limit, as "10.0.0.0/8", "user:monitor" or "key:partner"',
    ),
    threads: z
      .number()
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe('threads that serve traffic; absent: one less than there are cores, at least one'),
    routes: z
      .record(z.string(), route)
      .default({})
      .describe(
        'by "METHOD host/path", as "POST /login", "GET /assets/*", "api.example.com/users/:id", "/*"',
      ),
    unmatched: limit.default('60/min per ip').describe('what bounds requests that no route matches'),
    upgrades: limit
      .default('120/min per client')
      .describe('what bounds WebSockets that are opened, beside the limits of their route'),
    errors: limit
      .default('600/min per ip')
      .describe(
        'how many answers of class 4xx and 5xx somebody may cause before everything is refused for a while',
      ),
    rateLimitFields: z
      .enum(['draft-11', 'legacy', 'off'])
      .default('draft-11')
      .describe(
        'how refusals say where a limit stands: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11), X-RateLimit-Limit, -Remaining and -Reset, or not; Retry-After is always there',
      ),
    shared: shared.optional().describe('counts limits on several edges together'),
    keys: z
      .number()
      .int()
      .min(1000)
      .max(50_000_000)
      .default(1_000_000)
      .describe('how many keys (addresses, say) the limits remember at once; 16 bytes each'),
    maxConnections: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(10_000)
      .describe('open connections of clients, for each thread and address'),
    headerTimeout: boundedDuration
      .prefault('10s')
      .describe('how long a client may take to send the head of a request'),
  })
  .prefault({})
  .describe('what the world may ask for, and how much of it')

/** The section as parsed. */
export type EdgeConfig = z.output<typeof edgeConfig>

/** One route as parsed. */
export type RouteConfig = EdgeConfig['routes'][string]
