import { isAbsolute, normalize } from 'node:path'
import { z } from 'zod'
import { duration, serviceName, waiver } from '../../contracts/shapes.ts'

const count = z.number().int().min(1).max(200)
const replicas = z
  .union([count.transform((size) => ({ min: size, max: size })), z.strictObject({ min: count, max: count })])
  .refine(({ min, max }) => min <= max, '"min" must not be above "max"')

const environmentVariable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores')

/** One service: a command that Holdfast runs, or an address that already listens. */
export const serviceConfig = z
  .strictObject({
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'program and arguments that Holdfast runs, without a shell; a path with a slash is relative to `directory`',
      ),
    address: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('address of a service that somebody else runs, as http://127.0.0.1:3000'),
    directory: z.string().default('.').describe('working directory, relative to the environment file'),
    port: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('port on which it insists; absent: Holdfast tells it a free one in PORT'),
    listens: z
      .boolean()
      .default(true)
      .describe('false for a worker that serves no port: it counts as healthy while it runs'),
    health: z
      .string()
      .startsWith('/')
      .optional()
      .describe('path that answers 2xx or 3xx when it is well; absent: a TCP connection is enough'),
    replicas: replicas
      .prefault(1)
      .describe('how many copies run: a number, or { min, max }; `min` run until scaling arrives'),
    env: z
      .record(environmentVariable, z.string())
      .default({})
      .describe(
        'its environment variables, beside HOST, PORT, HOLDFAST_URL and HOLDFAST_TOKEN, with which it may take from limits',
      ),
    passEnv: z
      .array(environmentVariable)
      .default([])
      .describe('variables handed on from the environment in which `holdfast up` was started'),
    resources: z
      .strictObject({
        memoryMiB: z
          .number()
          .int()
          .min(16)
          .optional()
          .describe('memory of one replica, in MiB; needs cgroups'),
        cpus: z
          .number()
          .positive()
          .max(1024)
          .optional()
          .describe('cores of one replica, as 0.5; needs cgroups'),
      })
      .default({})
      .describe('what one replica may use'),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/, 'the name of an account')
      .optional()
      .describe(
        'when Holdfast was started as root: account that it runs as; a name that is none is a user that all services with it share; absent: a user of its own',
      ),
    writes: z
      .array(
        z
          .string()
          .refine((path) => !isAbsolute(path) && !normalize(path).startsWith('..'), 'stay in the directory'),
      )
      .default([])
      .describe(
        'directories in `directory` that it writes to: when Holdfast was started as root they are made and given to its user',
      ),
    startTimeout: duration.prefault('30s').describe('how long it may take to get healthy'),
    stopTimeout: duration.prefault('10s').describe('from SIGTERM to SIGKILL'),
    mayExpose: waiver
      .optional()
      .describe('lets it listen beyond loopback, where no limit protects it: why, and until when'),
  })
  .refine((service) => (service.command === undefined) !== (service.address === undefined), {
    message: 'needs either "command" (Holdfast runs it) or "address" (somebody else does)',
  })
  .refine((service) => service.port === undefined || service.replicas.min === 1, {
    message: 'cannot run several replicas on one fixed port',
    path: ['port'],
  })

/** The services of the environment by name. */
export const servicesConfig = z
  .record(serviceName, serviceConfig)
  .refine((services) => Object.keys(services).length > 0, 'name at least one service')
  .describe('the programs of the user, by name')

/** One service as parsed. */
export type ServiceConfig = z.output<typeof serviceConfig>

/** All services as parsed. */
export type ServicesConfig = z.output<typeof servicesConfig>
