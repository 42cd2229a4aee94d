import { z } from 'zod'
import { edge } from '../../capabilities/edge/index.ts'
import { environment } from '../../capabilities/environment/index.ts'
import { limits } from '../../capabilities/limits/index.ts'
import { person } from '../../contracts/house/people.ts'
import { serviceName } from '../../contracts/shapes.ts'
import { parseDuration, parseSize, type JsonObject } from '../../kernel/std/index.ts'

const controlConfig = z
  .strictObject({
    port: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .default(8400)
      .describe('port of the control API and the console'),
    host: z.string().default('127.0.0.1').describe('address to listen on; anything but loopback needs `tls`'),
    tls: z
      .strictObject({
        certificate: z.string().describe('file with the certificate chain, PEM'),
        key: z.string().describe('file with the private key, PEM'),
      })
      .optional()
      .describe('certificate of the control API'),
    hosts: z
      .array(z.string())
      .default([])
      .describe('host names, beside those of loopback, under which people reach it'),
  })
  .prefault({})
  .describe('the control API and the console')

const timelineConfig = z
  .strictObject({
    keepFor: z
      .string()
      .refine((text) => parseDuration(text) !== undefined, 'write a duration, as "400d"')
      .default('400d')
      .describe('facts older than this go, when every fold has passed them'),
    keepAtMost: z
      .string()
      .refine((text) => parseSize(text) !== undefined, 'write a size, as "4GiB"')
      .default('4GiB')
      .describe('the oldest facts go when the timeline is larger than this'),
  })
  .prefault({})
  .describe('how much of the past is kept')

const engineConfig = z
  .union([
    z.literal('local'),
    z.strictObject({
      swarm: z
        .string()
        .regex(/^unix:\/\/\/./, 'write the path of a socket, as "unix:///var/run/docker.sock"')
        .describe(
          'the socket of the Docker daemon of a manager of the swarm, as "unix:///var/run/docker.sock"',
        ),
    }),
  ])
  .default('local')
  .describe('what runs the replicas: this machine, or a swarm of Docker')

/** The environment file: everything that one environment is. */
export const environmentFile = z.strictObject({
  name: serviceName.describe('name of the environment: lower-case letters, digits and dashes'),
  engine: engineConfig,
  services: environment.servicesConfig,
  volumes: environment.volumesConfig,
  databases: environment.databasesConfig,
  jobs: environment.jobsConfig,
  schedules: environment.schedulesConfig,
  edge: edge.config,
  limits: limits.config,
  people: z
    .record(serviceName, person)
    .default({})
    .describe('who may come in, by short name, what they may do, what they know, and where to reach them'),
  control: controlConfig,
  timeline: timelineConfig,
})

/** The environment file as a user writes it. */
export type EnvironmentInput = z.input<typeof environmentFile>

/** The environment file with every default filled in. */
export type EnvironmentFile = z.output<typeof environmentFile>

/** Whether replicas are containers, from images. */
export function runsContainers({ engine }: Pick<EnvironmentFile, 'engine'>): boolean {
  return engine !== 'local'
}

/** JSON Schema 2020-12 of the environment file as a user writes it. */
export function environmentFileSchema(): JsonObject {
  return z.toJSONSchema(environmentFile, { io: 'input', unrepresentable: 'any' }) as JsonObject
}

/** `<data>/environment.json`: the environment that was accepted last; control starts from it. */
export const acceptedEnvironment = z.strictObject({
  /** Absolute path of the environment file. */
  file: z.string(),
  /** SHA-256 of the canonical data, hex. */
  hash: z.string(),
  /** Ports that were given on the command line. */
  overrides: z.strictObject({
    edgePort: z.number().int().optional(),
    controlPort: z.number().int().optional(),
  }),
  environment: z.unknown(),
  /** Files that it hands to services, base64, by path as written; absent: none. */
  contents: z.record(z.string(), z.string()).exactOptional(),
})

/** `<data>/environment.json` as parsed. */
export type AcceptedEnvironment = z.infer<typeof acceptedEnvironment>
