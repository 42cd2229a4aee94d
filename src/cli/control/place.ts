import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { environmentFileNames } from '../../contracts/environment-file.ts'

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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The nearest folder, here or above, that holds one of these names. */
async function nearest(directory: string, names: readonly string[]): Promise<string | undefined> {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    for (const name of names) if (await exists(join(folder, name))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

/**
 * The data directory that is meant: `--data`, else `.holdfast` beside the file of `--config`, else the nearest
 * `.holdfast` here or above, else the one that belongs beside the nearest environment file, else here.
 */
export async function findDataDirectory({ data, config, directory }: Directions): Promise<string> {
  if (data !== undefined) return resolve(directory, data)
  if (config !== undefined) return join(dirname(resolve(directory, config)), '.holdfast')
  const folder = (await nearest(directory, ['.holdfast'])) ?? (await nearest(directory, environmentFileNames))
  return join(folder ?? resolve(directory), '.holdfast')
}
