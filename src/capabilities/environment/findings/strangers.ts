import type { Finding } from '../../../kernel/capability/index.ts'
import { closest, lookUp } from '../../../kernel/std/index.ts'
import type { ServicesConfig, VolumesConfig } from '../config.ts'
import { isManaged, namesOf, type DatabasesConfig, type VariableValues } from '../databases/config.ts'
import { jobPrefix, type JobsConfig, type SchedulesConfig } from '../runs/index.ts'

/** The parts of the environment file that name one another. */
export interface Sections {
  readonly services: ServicesConfig
  readonly volumes: VolumesConfig
  readonly databases: DatabasesConfig
  readonly jobs: JobsConfig
  readonly schedules: SchedulesConfig
}

/** A name that stands where another thing is meant. */
interface Mention {
  readonly path: string
  readonly what: 'service' | 'volume' | 'job' | 'database'
  readonly name: string
}

/** The databases that variables refer to. */
const databasesIn = (path: string, env: VariableValues): readonly Mention[] =>
  Object.entries(env).flatMap(([variable, value]) =>
    typeof value === 'string'
      ? []
      : [{ path: `${path}.env.${variable}`, what: 'database', name: value.database }],
  )

function mentionsOf({ services, jobs, schedules }: Sections): readonly Mention[] {
  const ofServices = Object.entries(services).flatMap(([service, { volumes, deploy, env }]) => {
    const at = `services.${service}`
    const job = (path: string, name: string): Mention => ({ path: `${at}.deploy.${path}`, what: 'job', name })
    return [
      ...volumes.map((name): Mention => ({ path: `${at}.volumes`, what: 'volume', name })),
      ...databasesIn(at, env),
      ...deploy.before.map((name) => job('before', name)),
      ...deploy.after.map((name) => job('after', name)),
    ]
  })
  const ofJobs = Object.entries(jobs).flatMap(([job, { service, env }]): readonly Mention[] => [
    ...(service === undefined
      ? []
      : [{ path: `jobs.${job}.service`, what: 'service' as const, name: service }]),
    ...databasesIn(`jobs.${job}`, env),
  ])
  const ofSchedules = Object.entries(schedules).map(([schedule, { job }]): Mention => ({
    path: `schedules.${schedule}.job`,
    what: 'job',
    name: job,
  }))
  return [...ofServices, ...ofJobs, ...ofSchedules]
}

/** Names of services, volumes and jobs that nothing in the file has, and what cannot be shared but would be. */
export function findStrangers(sections: Sections): readonly Finding[] {
  const { services, volumes, jobs, databases } = sections
  const known = { service: services, volume: volumes, job: jobs, database: databases }
  const lost = mentionsOf(sections)
    .filter(({ what, name }) => !Object.hasOwn(known[what], name))
    .map(({ path, what, name }): Finding => {
      const meant = closest(name, Object.keys(known[what]))
      const hint = meant === undefined ? `name it under "${what}s"` : `did you mean "${meant}"?`
      return { severity: 'critical', path, message: `there is no ${what} "${name}"`, hint }
    })
  return [...lost, ...findShared(sections), ...findTaken(sections), ...findNameless(sections)]
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

/** Names within a database that it does not have. */
function findNameless({ services, jobs, databases }: Sections): readonly Finding[] {
  const at = (kind: string, all: Readonly<Record<string, { readonly env: VariableValues }>>) =>
    Object.entries(all).map(([name, { env }]) => [`${kind}.${name}.env`, env] as const)
  return [...at('services', services), ...at('jobs', jobs)].flatMap(([path, env]) =>
    Object.entries(env).flatMap(([variable, value]): readonly Finding[] => {
      if (typeof value === 'string' || value.name === undefined) return []
      const config = lookUp(databases, value.database)
      if (config === undefined || !isManaged(config)) return []
      const names = config.engine === 'redis' ? [] : namesOf(value.database, config)
      if (names.includes(value.name)) return []
      const message = `database "${value.database}" has no "${value.name}" in it`
      const hint =
        config.engine === 'redis' ? 'leave the name out' : `it has ${names.join(', ')}; add it to its "names"`
      return [{ severity: 'critical', path: `${path}.${variable}.name`, message, hint }]
    }),
  )
}

function findTaken({ services, jobs, databases }: Sections): readonly Finding[] {
  const twice = Object.keys(databases)
    .filter((name) => Object.hasOwn(services, name))
    .map((name) => ({
      severity: 'critical' as const,
      path: `databases.${name}`,
      message: `a service is called "${name}" too`,
      hint: 'give the service or the database another name: logs and restarts go by name',
    }))
  return [...twice, ...findTakenByJobs({ services, jobs, databases })]
}

function findTakenByJobs({
  services,
  jobs,
  databases,
}: Pick<Sections, 'services' | 'jobs' | 'databases'>): readonly Finding[] {
  return Object.keys(jobs)
    .filter((job) => Object.hasOwn({ ...databases, ...services }, `${jobPrefix}${job}`))
    .map((job) => ({
      severity: 'critical' as const,
      path: `services.${jobPrefix}${job}`,
      message: `runs of the job "${job}" are called ${jobPrefix}${job} too`,
      hint: 'give one of them another name',
    }))
}
