import { resolve } from 'node:path'
import type { ImageSource, ReleaseSource } from '../ports.ts'

const tarballs = ['.tar', '.tar.gz', '.tgz'] as const

/** Reads where a release comes from, as a person says it; `directory` is the service's, absolute. */
export function readSource(from: string | undefined, directory: string): ReleaseSource | ImageSource {
  if (from === undefined) return { kind: 'directory', path: directory }
  if (from.startsWith('git:')) return { kind: 'git', path: directory, ref: from.slice('git:'.length) }
  if (from.startsWith('image:')) return { kind: 'image', name: from.slice('image:'.length) }
  const path = resolve(directory, from)
  return tarballs.some((ending) => from.endsWith(ending))
    ? { kind: 'tarball', path }
    : { kind: 'directory', path }
}
