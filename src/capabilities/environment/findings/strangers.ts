import type { Finding } from '../../../kernel/capability/index.ts'
import { closest } from '../../../kernel/std/index.ts'
import type { ServicesConfig, VolumesConfig } from '../config.ts'
import { jobPrefix, type JobsConfig, type SchedulesConfig } from '../runs/index.ts'

/** The parts of the environment file that name one another. */
export interface Sections {
  readonly services: ServicesConfig
  readonly volumes: VolumesConfig
  readonly jobs: JobsConfig
  readonly schedules: SchedulesConfig
}

/** A name that stands where another thing is meant. */
interface Mention {
  readonly path: string
  readonly what: 'service' | 'volume' | 'job'
  readonly name: string
}

function mentionsOf({ services, jobs, schedules }: Sections): readonly Mention[] {
  const ofServices = Object.entries(services).flatMap(([service, { volumes, deploy }]) => {
    const at = `services.${service}`
    const job = (path: string, name: string): Mention => ({ path: `${at}.deploy.${path}`, what: 'job', name })
    return [
      ...volumes.map((name): Mention => ({ path: `${at}.volumes`, what: 'volume', name })),
      ...deploy.before.map((name) => job('before', name)),
      ...deploy.after.map((name) => job('after', name)),
    ]
  })
  const ofJobs = Object.entries(jobs).flatMap(([job, { service }]): readonly Mention[] =>
    service === undefined ? [] : [{ path: `jobs.${job}.service`, what: 'service', name: service }],
  )
  const ofSchedules = Object.entries(schedules).map(([schedule, { job }]): Mention => ({
    path: `schedules.${schedule}.job`,
    what: 'job',
    name: job,
  }))
  return [...ofServices, ...ofJobs, ...ofSchedules]
}

/** Names of services, volumes and jobs that nothing in the file has, and what cannot be shared but would be. */
export function findStrangers(sections: Sections): readonly Finding[] {
  const known = { service: sections.services, volume: sections.volumes, job: sections.jobs }
  const lost = mentionsOf(sections)
    .filter(({ what, name }) => !Object.hasOwn(known[what], name))
    .map(({ path, what, name }): Finding => {
      const meant = closest(name, Object.keys(known[what]))
      const hint = meant === undefined ? `name it under "${what}s"` : `did you mean "${meant}"?`
      return { severity: 'critical', path, message: `there is no ${what} "${name}"`, hint }
    })
  return [...lost, ...findShared(sections), ...findTaken(sections)]
}

function findShared({ services, volumes }: Sections): readonly Finding[] {
  return Object.entries(services).flatMap(([service, config]) =>
    config.volumes
      .filter((name) => volumes[name]?.exclusive === true && config.replicas.max > 1)
      .map((name) => ({
        severity: 'critical' as const,
        path: `services.${service}.replicas`,
        message: `volume "${name}" is exclusive, and up to ${config.replicas.max} replicas would share it`,
        hint: 'run one replica, or let the volume be shared',
      })),
  )
}

function findTaken({ services, jobs }: Sections): readonly Finding[] {
  return Object.keys(jobs)
    .filter((job) => Object.hasOwn(services, `${jobPrefix}${job}`))
    .map((job) => ({
      severity: 'critical' as const,
      path: `services.${jobPrefix}${job}`,
      message: `runs of the job "${job}" are called ${jobPrefix}${job} too`,
      hint: 'give the service or the job another name',
    }))
}
