import { isAbsolute, normalize } from 'node:path'
import { z } from 'zod'
import { duration, serviceName, waiver } from '../../contracts/shapes.ts'
import { variableValue } from './databases/config.ts'
import { jobConfig, scheduleConfig } from './runs/config.ts'

const count = z.number().int().min(1).max(200)
const replicas = z
  .union([count.transform((size) => ({ min: size, max: size })), z.strictObject({ min: count, max: count })])
  .refine(({ min, max }) => min <= max, '"min" must not be above "max"')

const canary = z
  .strictObject({
    share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe('share of the requests, and of the replicas (at least one), that the new release gets first'),
    for: duration
      .prefault('10s')
      .describe('how long it is judged beside the old one; "0s": not at all; without requests, 3 s'),
    errors: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe('so much higher may its share of failed requests be, as 0.02, before it is rolled back'),
    slower: z
      .number()
      .min(1)
      .max(100)
      .default(1.5)
      .describe('so many times the p95 of the old one may its own be'),
  })
  .prefault({})
  .describe('how a new release, or a changed specification, is judged before it takes over')

const deploy = z
  .strictObject({
    canary,
    surge: z
      .number()
      .int()
      .min(1)
      .max(200)
      .default(1)
      .describe('so many replicas may run beyond the wished number while one release replaces another'),
    drain: duration
      .prefault('2s')
      .describe('from the last new request to SIGTERM; requests in flight have `stopTimeout` after that'),
    before: z
      .array(serviceName)
      .max(20)
      .default([])
      .describe('jobs that run first, with the files of the new release: one that fails stops the deploy'),
    after: z
      .array(serviceName)
      .max(20)
      .default([])
      .describe('jobs that run when the new release serves; one that fails is only said'),
    keep: z
      .number()
      .int()
      .min(2)
      .max(100)
      .default(5)
      .describe('releases that are kept, the running one included'),
  })
  .prefault({})
  .describe('how one release replaces another')

const environmentVariable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores')

const handedFile = z.union([
  z.string().min(1).describe('path of a file, relative to the environment file'),
  z
    .strictObject({ variable: environmentVariable.describe('its name') })
    .describe('what a variable holds that `holdfast up` was started with; it is kept secret'),
])

const build = z
  .strictObject({
    dockerfile: z
      .string()
      .min(1)
      .optional()
      .describe('path of a Dockerfile in `directory`; absent: one is written for Node'),
    base: z.string().min(1).default('node:24-slim').describe('image that the one for Node starts from'),
    push: z
      .string()
      .regex(/^[^\s:@/]+(:\d+)?(\/[a-z0-9._-]+)+$/, 'a repository without a tag, as "registry.example/web"')
      .optional()
      .describe(
        'repository that it is pushed to, as "registry.example/web", so that all nodes can run it; absent: it runs where it was made',
      ),
  })
  .describe(
    'on Docker Swarm: how its image is made out of `directory`, or out of the release that is deployed',
  )

/** One service: a command that Holdfast runs, or an address that already listens. */
export const serviceConfig = z
  .strictObject({
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'program and arguments that Holdfast runs, without a shell; a path with a slash is relative to `directory`, a name is looked for in `node_modules/.bin` of `directory` and of each directory above it, then in PATH (on Docker Swarm: as the image says)',
      ),
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'on Docker Swarm: image that it runs from, as "registry.example/arcade/web:1.2"; without `command`, as the image says',
      ),
    build: build.optional(),
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
      .describe(
        'port on which it insists (on Docker Swarm: in its container); absent: Holdfast tells it a free one in PORT',
      ),
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
      .record(environmentVariable, variableValue)
      .default({})
      .describe(
        'its environment variables, as text or as { database: name } for the URL of a database that it needs; beside HOST, PORT, HOLDFAST_URL and HOLDFAST_TOKEN, with which it may take from limits',
      ),
    passEnv: z
      .array(environmentVariable)
      .default([])
      .describe('variables handed on from the environment in which `holdfast up` was started'),
    files: z
      .record(environmentVariable, handedFile)
      .default({})
      .describe(
        'files that it is handed, up to 500 KB each; it finds the path of APP_CONFIG in APP_CONFIG_FILE, as programs in images of Docker expect it',
      ),
    volumes: z
      .array(serviceName)
      .default([])
      .describe('volumes that it writes to; it finds the path of `uploads` in VOLUME_UPLOADS'),
    needs: z
      .array(serviceName)
      .default([])
      .describe('what has to be well before it is started for the first time'),
    deploy,
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
  .refine(
    ({ command, image, build: built, address }) => (command ?? image ?? built ?? address) !== undefined,
    {
      message: 'needs either "command" (Holdfast runs it) or "address" (somebody else does)',
    },
  )
  .refine(({ command, image, build: built, address }) => !address || !(command ?? image ?? built), {
    message: 'needs either "command" (Holdfast runs it) or "address" (somebody else does)',
  })
  .refine(
    ({ port, replicas: { min }, image, build: built }) =>
      !port || min === 1 || (image ?? built) !== undefined,
    {
      message: 'cannot run several replicas on one fixed port',
      path: ['port'],
    },
  )
  .refine(({ image, build: built }) => image === undefined || built === undefined, {
    message: 'takes its image from somewhere ("image") or makes one ("build"), not both',
    path: ['build'],
  })

/** The services of the environment by name. */
export const servicesConfig = z
  .record(serviceName, serviceConfig)
  .refine((services) => Object.keys(services).length > 0, 'name at least one service')
  .describe('the programs of the user, by name')

/** A place for files that outlive replicas and releases. */
const volumeConfig = z.strictObject({
  exclusive: z
    .boolean()
    .default(false)
    .describe('only one replica may have it at a time: its service is replaced in place'),
  node: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'on Docker Swarm: host name or id of the node that it lies on, and that all runs on that uses it; default: the node of the manager, where no more than one replica uses it or there is no other node',
    ),
})

/** The volumes of the environment by name. */
export const volumesConfig = z
  .record(serviceName, volumeConfig)
  .default({})
  .describe('places for files that outlive replicas and releases, by name')

/** The jobs of the environment by name. */
export const jobsConfig = z
  .record(serviceName, jobConfig)
  .default({})
  .describe('commands that run once, to their end: by hand, as part of a deploy, or by a schedule')

/** The schedules of the environment by name. */
export const schedulesConfig = z
  .record(serviceName, scheduleConfig)
  .default({})
  .describe('jobs by the clock, by name')

/** All volumes as parsed. */
export type VolumesConfig = z.output<typeof volumesConfig>

/** One service as parsed. */
export type ServiceConfig = z.output<typeof serviceConfig>

/** All services as parsed. */
export type ServicesConfig = z.output<typeof servicesConfig>
