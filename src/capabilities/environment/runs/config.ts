import { Cron } from 'croner'
import { z } from 'zod'
import { duration, serviceName } from '../../../contracts/shapes.ts'
import { variableValue } from '../databases/config.ts'

/** Whether croner can read a pattern and a zone; its message otherwise. */
function troubleWith(at: string, zone: string): string | null {
  try {
    const next = new Cron(at, { timezone: zone, paused: true }).nextRun()
    return next === null ? 'it never comes' : null
  } catch (error) {
    return (error as Error).message
  }
}

/** A command that runs once, to its end. */
export const jobConfig = z.strictObject({
  service: serviceName
    .optional()
    .describe('service whose release, directory and variables it shares; absent: none'),
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('program and arguments, without a shell; found as that of a service is'),
  directory: z
    .string()
    .optional()
    .describe('working directory; default: that of the service, else of the file'),
  env: z.record(z.string(), variableValue).default({}).describe("its variables, beside the service's"),
  passEnv: z
    .array(z.string())
    .default([])
    .describe('variables handed on from the environment in which `holdfast up` was started'),
  timeout: duration.prefault('10min').describe('after which it is stopped and has failed'),
})

/** A job by the clock. */
export const scheduleConfig = z
  .strictObject({
    job: serviceName.describe('which job'),
    at: z.string().describe('cron pattern: minute hour day month weekday, as "0 4 * * *" or "*/5 * * * *"'),
    zone: z.string().default('UTC').describe('time zone of the pattern, as Europe/Vienna'),
    overlap: z
      .number()
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe('so many runs may go on at once; one that comes when they do is skipped, and says so'),
    missed: z
      .enum(['run', 'skip'])
      .default('run')
      .describe('what of a run that fell into a time without Holdfast: it is made up for, once, or left out'),
  })
  .superRefine(({ at, zone }, context) => {
    const trouble = troubleWith(at, zone)
    if (trouble !== null) context.addIssue({ code: 'custom', path: ['at'], message: trouble })
  })

/** One job as parsed. */
export type JobConfig = z.output<typeof jobConfig>
/** One schedule as parsed. */
export type ScheduleConfig = z.output<typeof scheduleConfig>
/** All jobs as parsed. */
export type JobsConfig = Readonly<Record<string, JobConfig>>
/** All schedules as parsed. */
export type SchedulesConfig = Readonly<Record<string, ScheduleConfig>>
