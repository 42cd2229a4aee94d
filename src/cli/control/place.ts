import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** What the global flags and the variables say about where control is. */
export interface Directions {
  /** `--url` or `HOLDFAST_URL`. */
  readonly url?: string | undefined
  /** `--token` or `HOLDFAST_TOKEN`. */
  readonly token?: string | undefined
  /** `--data`. */
  readonly data?: string | undefined
  /** `--config`. */
  readonly config?: string | undefined
  /** Where the command was called, absolute. */
  readonly directory: string
}

const fileNames = ['holdfast.config.ts', 'holdfast.config.mts', 'holdfast.config.js', 'holdfast.config.mjs']

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function holdsEnvironment(directory: string): Promise<boolean> {
  for (const name of fileNames) if (await exists(join(directory, name))) return true
  return false
}

/**
 * The data directory that is meant: `--data`, else `.holdfast` beside the file of `--config`, else beside the nearest
 * environment file here or above; without one, `.holdfast` here.
 */
export async function findDataDirectory({ data, config, directory }: Directions): Promise<string> {
  if (data !== undefined) return resolve(directory, data)
  if (config !== undefined) return join(dirname(resolve(directory, config)), '.holdfast')
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (await holdsEnvironment(folder)) return join(folder, '.holdfast')
    if (folder === dirname(folder)) return join(resolve(directory), '.holdfast')
  }
}
