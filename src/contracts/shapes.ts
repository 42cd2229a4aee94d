import { z } from 'zod'
import { parseDuration } from '../kernel/std/index.ts'

/** A moment: milliseconds since the epoch. */
export const moment = z.number().int().nonnegative().describe('milliseconds since 1970-01-01T00:00Z')

/** How bad a fact is. */
export const severity = z.enum(['info', 'notice', 'warning', 'critical'])

/** A role: what somebody may do. `use` is for applications: they take from limits and see nothing. */
export const role = z.enum(['use', 'view', 'operate', 'administer'])

/** Name of a service in the environment file. */
export const serviceName = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/, 'lower-case letters, digits and dashes')

/** Nothing to give. */
export const nothing = z.strictObject({})

/** A value of JSON's. */
export const json = z.json()

/** Data of a fact: an object of JSON values. */
export const jsonObject = z.record(z.string(), z.json())

/** A fact as it leaves the house. */
export const fact = z.strictObject({
  sequence: z.number().int(),
  id: z.string(),
  at: moment,
  kind: z.string(),
  severity,
  subject: z.string().nullable(),
  actor: z.string(),
  correlation: z.string().nullable(),
  data: jsonObject.nullable().describe('null: erased'),
  hash: z.string(),
  says: z.string().describe('the fact in one sentence'),
})

/** An exception from a rule of the house: it says why, and it ends. */
export const waiver = z.strictObject({
  because: z.string().min(3).describe('why, for whoever reads the file next year'),
  until: z.iso.date().describe('the last day on which it holds, as 2027-03-31'),
})

/** A duration as a person writes it, parsed into milliseconds. */
export const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'write a duration, as "10s", "5min" or "1h"')
  .transform((text) => parseDuration(text) ?? 0)
