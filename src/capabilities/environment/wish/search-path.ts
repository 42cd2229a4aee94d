import { delimiter, dirname, join } from 'node:path'

/** Where programs are looked for when nobody says. */
const usualPlaces = '/usr/local/bin:/usr/bin:/bin'

function upwardsFrom(directory: string): readonly string[] {
  const parent = dirname(directory)
  return parent === directory ? [directory] : [directory, ...upwardsFrom(parent)]
}

/**
 * Where the programs of a service are looked for, as PATH, as npm does it for scripts: `node_modules/.bin` of each of these
 * directories and of all above it, then what the machine's own PATH says. Absolute directories; the first one counts most.
 */
export function searchPathOf(directories: readonly string[], path: string | undefined): string {
  const places = directories.flatMap(upwardsFrom).map((directory) => join(directory, 'node_modules', '.bin'))
  return [...new Set(places), path ?? usualPlaces].join(delimiter)
}
