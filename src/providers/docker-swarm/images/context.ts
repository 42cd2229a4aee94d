import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import ignore from '@balena/dockerignore'
import { pack } from 'tar-fs'
import type { Specification } from '../../../contracts/supervisor.ts'

/** What an image is made from. */
export interface BuildContext {
  /** A tar archive; it must be read, or destroyed. */
  readonly archive: Readable
  /** Path of the Dockerfile in it. */
  readonly dockerfile: string
}

const generated = 'Dockerfile.holdfast'

async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null)
}

/** A Dockerfile for a program of Node: its packages are installed in the image if there is a lock file, else it comes as it is. */
export function dockerfileForNode(base: string, hasLockFile: boolean): string {
  const packages = ['COPY package.json package-lock.json ./', 'RUN npm ci --omit=dev']
  return [`FROM ${base}`, 'WORKDIR /app', ...(hasLockFile ? packages : []), 'COPY . .', ''].join('\n')
}

/** What does not go into the image: what .dockerignore says, git's files, our own data, and packages that are installed there. */
async function ignoredIn(directory: string, isInstalled: boolean): Promise<(path: string) => boolean> {
  const said = (await readText(join(directory, '.dockerignore'))) ?? ''
  const rules = ignore
    .default()
    .add(said)
    .add(['.git', '.holdfast', ...(isInstalled ? ['node_modules'] : [])])
  return (path) => rules.ignores(relative(directory, path))
}

/** Packs a directory, with a Dockerfile for Node if it names none. */
export async function packContext(
  directory: string,
  { dockerfile, base }: NonNullable<Specification['build']>,
): Promise<BuildContext> {
  const hasLockFile = (await readText(join(directory, 'package-lock.json'))) !== null
  const isInstalled = dockerfile === undefined && hasLockFile
  const archive = pack(directory, {
    ignore: await ignoredIn(directory, isInstalled),
    finalize: dockerfile !== undefined,
    strict: false,
    finish: (tar) => {
      if (dockerfile !== undefined) return
      tar.entry({ name: generated }, dockerfileForNode(base, hasLockFile))
      tar.finalize()
    },
  })
  return { archive, dockerfile: dockerfile ?? generated }
}
