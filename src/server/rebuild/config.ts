import { z } from 'zod'
import { rebuildPhase } from '../../contracts/environment/rebuilds.ts'

/** `<place>/request.json`: what the builder is to build. */
export const buildRequest = z.strictObject({
  /** Absolute path of the environment file that it stems from; services' directories are relative to its own. */
  file: z.string(),
  hash: z.string(),
  /** The file of the second environment, as it would be written. */
  data: z.unknown(),
  /** Absolute. */
  dataDirectory: z.string(),
  /** How long it goes on running once it serves, milliseconds; null: it ends at once. */
  keepMs: z.number().nullable(),
})

/** What the builder is to build. */
export type BuildRequest = z.infer<typeof buildRequest>

/** What the builder says, a line of JSON each. */
export const buildMessage = z.union([
  z.strictObject({ doing: z.string() }),
  z.strictObject({ phase: rebuildPhase }),
  z.strictObject({ note: z.string() }),
  z.strictObject({ serves: z.string() }),
  z.strictObject({ failed: z.strictObject({ phase: z.string(), because: z.string() }) }),
])

/** What the builder says. */
export type BuildMessage = z.infer<typeof buildMessage>

/** `<place>/sandbox.json`: what somebody finds who comes later. */
export const sandboxRecord = z.strictObject({
  /** Whose it is: a job, or a command line. */
  owner: z.string(),
  /** The process whose death ends it, and when that was started; null: there is none yet. */
  builder: z.strictObject({ pid: z.number().int(), birth: z.string(), isolated: z.boolean() }).nullable(),
  /** Where its containers are, as in "unix:///var/run/docker.sock"; null: it has none. */
  swarm: z.string().nullable().default(null),
  /** It may live without its owner until then, milliseconds since the epoch; null: it may not. */
  keptUntil: z.number().nullable(),
})

/** What somebody finds who comes later. */
export type SandboxRecord = z.infer<typeof sandboxRecord>
