import { readFileSync } from 'node:fs'

/** The version of this installation, from the package.json of the clone or of the package. */
export function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
  return version
}
