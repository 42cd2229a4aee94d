import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'

/** Where a Compose file lies, and what lies around it. */
export interface Place {
  /** Absolute directory of the Compose file. */
  readonly directory: string
  /** Absolute directory of the environment file that is written. */
  readonly base: string
  /** The variables of the `.env` file beside the Compose file. */
  readonly dotEnv: ReadonlyMap<string, string>
  /** A text file, or null: it cannot be read. */
  readonly read: (path: string) => Promise<string | null>
}

const readText = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null)

/** Looks around a Compose file (absolute path). */
export async function lookAroundCompose(file: string, base: string): Promise<Place> {
  const directory = dirname(file)
  const variables = Object.entries(parseEnv((await readText(join(directory, '.env'))) ?? ''))
  const dotEnv = new Map(variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return { directory, base, dotEnv, read: readText }
}
