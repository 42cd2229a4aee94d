import { z } from 'zod'
import { duration, serviceName, waiver } from '../../contracts/shapes.ts'
import { parseSize } from '../../kernel/std/index.ts'

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

const route = z.strictObject({
  to: serviceName.describe('the service that answers'),
  limit: limit
    .optional()
    .describe('what bounds it, as "5/min per ip"; of several, each must admit; count by ip, route or host'),
  unlimited: waiver.optional().describe('instead of a limit: why there is none, and until when'),
  maxBody: bodySize.prefault('16MiB').describe('largest body of a request; "any" for whatever comes'),
  responseTimeout: boundedDuration
    .prefault('30s')
    .describe('how long the service may take to begin its answer'),
  idleTimeout: boundedDuration
    .prefault('60s')
    .describe('how long nothing may move while bodies are under way'),
})

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
      .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
      .max(1000)
      .default([])
      .describe('addresses or ranges of proxies in front, whose X-Forwarded-For is believed'),
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
