import type { Finding } from '../../../kernel/capability/index.ts'
import type { ServicesConfig } from '../config.ts'
import { programPath, serviceDirectory, type Ground } from '../wish/index.ts'
import type { EnvironmentPorts } from '../ports.ts'

/** Whether the programs of all services can be started; looks, never touches. */
export async function findProgramTroubles(
  services: ServicesConfig,
  ground: Ground,
  canRun: EnvironmentPorts['canRun'],
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    Object.entries(services).map(async ([name, service]): Promise<Finding | null> => {
      const [program] = service.command ?? []
      if (program === undefined) return null
      const directory = serviceDirectory(service, ground.directory)
      if (await canRun(programPath(program, directory), directory)) return null
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
