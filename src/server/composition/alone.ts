import { environment } from '../../capabilities/environment/index.ts'
import type { Specification } from '../../contracts/supervisor.ts'
import type { LoadedEnvironment } from './load.ts'

/** What one replica of a service is started as, without the house around it. */
export interface AloneSpec {
  readonly command: readonly string[]
  /** Absolute. */
  readonly directory: string
  /** As the file says; without HOST and PORT, and without a control to ask. */
  readonly variables: Readonly<Record<string, string>>
  /** Files that it is handed. */
  readonly files?: Specification['files']
}

/** What a service that is started alone finds. */
export interface AloneSurroundings {
  readonly hostVariables: Readonly<Record<string, string>>
  /** Absolute directory with `volumes/<name>` in it, which stand for its own. */
  readonly standIns: string
}

/** How one service of the file is started when it is started alone; null: there is no such service that Holdfast runs. */
export function specAlone(
  { environment: file, directory, contents = {} }: LoadedEnvironment,
  name: string,
  surroundings: AloneSurroundings,
): AloneSpec | null {
  const wished = environment.wishedAlone(file, { directory, contents, ...surroundings, containers: false })
  return wished.find((service) => service.name === name)?.specification ?? null
}

/** How long everything that starts may take until it is well, milliseconds by name: what it needs comes first. */
export function startTimeoutsOf({ environment: file }: LoadedEnvironment): Readonly<Record<string, number>> {
  return environment.startTimeouts(file)
}
