import { existsSync, readFileSync } from 'node:fs'

/** The version of this installation, from the package.json of the clone or of the package. */
export function readVersion(): string {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url))
  const file = places.find((place) => existsSync(place))
  if (file === undefined) return 'unknown'
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string }
  return version ?? 'unknown'
}
