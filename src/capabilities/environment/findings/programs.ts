import type { Finding } from '../../../kernel/capability/index.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { ServicesConfig } from '../config.ts'
import { isManaged, type DatabasesConfig } from '../databases/config.ts'
import { programPath, searchPathFor, serviceDirectory, type Ground } from '../wish/index.ts'
import type { Sections } from './strangers.ts'
import type { DatabaseServer, EnvironmentPorts } from '../ports.ts'

/** Whether the programs of all services can be started; looks, never touches. */
export async function findProgramTroubles(
  services: ServicesConfig,
  ground: Ground,
  canRun: EnvironmentPorts['canRun'],
): Promise<readonly Finding[]> {
  if (ground.containers) return []
  const findings = await Promise.all(
    Object.entries(services).map(async ([name, service]): Promise<Finding | null> => {
      const [program] = service.command ?? []
      if (program === undefined) return null
      const directory = serviceDirectory(service, ground.directory)
      const searchPath = searchPathFor([directory], ground)
      if (await canRun(programPath(program, directory), directory, searchPath)) return null
      return {
        severity: 'critical',
        path: `services.${name}.command`,
        message: `there is no program "${program}" that could be run in ${directory}`,
        hint: 'install it, or write its path; relative paths start at the directory of the service',
      }
    }),
  )
  return findings.filter((finding) => finding !== null)
}

const imageHint =
  'name an "image", or let one be made: build: {} for Node, build: { dockerfile: "Dockerfile" } for anything else'

/** What keeps a service from being run in the way of its engine: from an image, or as a program of this machine. */
export function findUnfitServices(
  services: ServicesConfig,
  { containers }: Pick<Ground, 'containers'>,
): readonly Finding[] {
  return Object.entries(services).flatMap(([name, service]): Finding[] => {
    const { command, image, build, address, port, replicas } = service
    const path = `services.${name}`
    if (address !== undefined) return []
    if (!containers) return findUnfitPrograms(path, { command, port, count: replicas.min })
    if (image === undefined && build === undefined) {
      return [
        {
          severity: 'critical',
          path,
          message: 'Docker Swarm runs it from an image, and it has none',
          hint: imageHint,
        },
      ]
    }
    if (command !== undefined || build === undefined || build.dockerfile !== undefined) return []
    const message = 'an image that is made for Node does not say what to run'
    return [
      { severity: 'critical', path: `${path}.command`, message, hint: 'as command: ["node", "web.ts"]' },
    ]
  })
}

/** Jobs that have no image to run in. */
export function findUnfitJobs(
  { services, jobs }: Pick<Sections, 'services' | 'jobs'>,
  { containers }: Pick<Ground, 'containers'>,
): readonly Finding[] {
  if (!containers) return []
  return Object.entries(jobs).flatMap(([name, { service = '', directory }]): Finding[] => {
    const { image, build } = lookUp(services, service) ?? {}
    const path = `jobs.${name}`
    if (image === undefined && build === undefined) {
      const message = 'Docker Swarm runs it in the image of a service, and it names none that has one'
      return [{ severity: 'critical', path: `${path}.service`, message, hint: 'as service: "web"' }]
    }
    if (directory === undefined) return []
    const message = 'a directory of this machine is not to be found in a container'
    const hint = 'leave it out: it runs where its image says'
    return [{ severity: 'critical', path: `${path}.directory`, message, hint }]
  })
}

/** What keeps a database from being run in the way of its engine: from an image, or as a program of this machine. */
export function findUnfitDatabases(
  databases: DatabasesConfig,
  { containers }: Pick<Ground, 'containers'>,
): readonly Finding[] {
  const managed = Object.entries(databases).filter(([, config]) => isManaged(config))
  return managed.flatMap(([name, { engine, image }]): Finding[] => {
    const path = `databases.${name}.image`
    if (!containers && image !== undefined) {
      const message = 'the local engine runs programs, not images'
      const hint = `leave "image" out: it runs the ${engine} that is installed, of the major "version" that you name`
      return [{ severity: 'critical', path, message, hint }]
    }
    if (!containers || image !== undefined) return []
    if (engine === 'sqlite') {
      const message = 'a file of SQLite lies on the machine of Holdfast, where containers do not see it'
      const hint = 'give the service a volume, and let it keep its file there'
      return [{ severity: 'critical', path: `databases.${name}`, message, hint }]
    }
    const message = `Docker Swarm runs ${engine} from an image, and it names none`
    const hint = `as image: "${exampleImages[engine]}", or name the "url" or "urlVariable" of one that somebody else runs`
    return [{ severity: 'critical', path, message, hint }]
  })
}

const exampleImages: Readonly<Record<DatabaseServer, string>> = {
  postgres: 'postgres:15',
  mariadb: 'mariadb:10.11',
  redis: 'redis:7',
}

interface LocalProgram {
  readonly command: readonly string[] | undefined
  readonly port: number | undefined
  readonly count: number
}

function findUnfitPrograms(path: string, { command, port, count }: LocalProgram): Finding[] {
  const severity = 'critical'
  if (command === undefined) {
    const hint = 'write its "command"; images are run with engine: { swarm: "unix:///var/run/docker.sock" }'
    return [
      { severity, path: `${path}.command`, message: 'the local engine runs programs, not images', hint },
    ]
  }
  if (port === undefined || count === 1) return []
  const hint = 'leave "port" out and listen on the one in PORT, or run one replica'
  return [{ severity, path: `${path}.port`, message: 'cannot run several replicas on one fixed port', hint }]
}

/** Variables that a service is to be handed but that nobody has set. */
export function findMissingVariables(services: ServicesConfig, ground: Ground): readonly Finding[] {
  return Object.entries(services).flatMap(([name, service]) =>
    service.passEnv
      .filter((variable) => !Object.hasOwn(ground.hostVariables, variable))
      .map((variable) => ({
        severity: 'critical' as const,
        path: `services.${name}.passEnv`,
        message: `the variable ${variable} is not set`,
        hint: `set it before starting, as ${variable}=... holdfast up, or take it out of the list`,
      })),
  )
}
