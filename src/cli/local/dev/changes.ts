import { basename, extname, relative } from 'node:path'

/** Whose files lie where. */
export interface Territory {
  /** Absolute. */
  readonly file: string
  /** Absolute directory of the environment file. */
  readonly directory: string
  /** Absolute directories of the services that are watched, by name. */
  readonly services: Readonly<Record<string, string>>
}

/** What a change asks for. */
export interface Wish {
  /** Read the environment file again: it changed, or something that it may import. */
  readonly reload: boolean
  /** Services whose files changed, sorted. */
  readonly restart: readonly string[]
}

const isWithin = (path: string, directory: string): boolean => {
  const way = relative(directory, path)
  return way !== '' && way !== '..' && !way.startsWith('../')
}

/** The services whose directory is the deepest that holds a path. */
function ownersOf(path: string, services: Territory['services']): readonly string[] {
  const holding = Object.entries(services).filter(([, directory]) => isWithin(path, directory))
  const deepest = Math.max(...holding.map(([, directory]) => directory.length))
  return holding.filter(([, directory]) => directory.length === deepest).map(([name]) => name)
}

const imported = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs', '.json'])

/** Decides what changed paths (absolute) ask for. Pure. */
export function decideWish(paths: readonly string[], { file, directory, services }: Territory): Wish {
  const sources = paths.filter((path) => path !== file)
  const mayBeImported = (path: string): boolean =>
    isWithin(path, directory) && (imported.has(extname(path)) || basename(path).startsWith('.env'))
  return {
    reload: paths.includes(file) || sources.some(mayBeImported),
    restart: [...new Set(sources.flatMap((path) => ownersOf(path, services)))].sort(),
  }
}
