import { isAbsolute, join, relative, resolve } from 'node:path'
import { splitCommand } from '../../command-line.ts'
import type { ComposePart } from './config.ts'
import type { Dockerfile } from './dockerfile.ts'

/** A directory of a container that is one of this machine. */
export interface Mount {
  /** Absolute, in the container. */
  readonly target: string
  /** Absolute, here. */
  readonly source: string
  /** Bound as a volume, not copied into the image. */
  readonly isVolume: boolean
}

const wordsOf = (words: string | readonly string[] | null | undefined): readonly string[] =>
  typeof words === 'string' ? splitCommand(words) : (words ?? [])

/** The command as it stands in compose and Dockerfile; empty: neither says one. An entrypoint of compose drops the CMD. */
export function writtenCommand(
  { entrypoint, command }: ComposePart,
  dockerfile: Dockerfile | null,
): readonly string[] {
  const begins = entrypoint === undefined ? (dockerfile?.entrypoint ?? []) : wordsOf(entrypoint)
  const fromImage = entrypoint === undefined ? (dockerfile?.cmd ?? []) : []
  const ends = command === undefined || command === null ? fromImage : wordsOf(command)
  return [...begins, ...ends]
}

/** Programs that only a container needs, to be its first process. */
const wrappers = /^(?:.*\/)?(?:tini|dumb-init)$/

function unwrapped(command: readonly string[]): readonly string[] {
  if (!wrappers.test(command[0] ?? '')) return command
  const rest = command.slice(1)
  const end = rest.indexOf('--')
  return end >= 0 ? rest.slice(end + 1) : rest.filter((word, index) => index > 0 || !word.startsWith('-'))
}

/** A path of the container as one of this machine, absolute; null: it lies in none of the mounts, or is none. */
export function localPath(path: string | null, mounts: readonly Mount[]): string | null {
  if (path === null) return null
  const within = mounts
    .filter(({ target }) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`))
    .sort((a, b) => b.target.length - a.target.length)[0]
  return within === undefined ? null : join(within.source, path.slice(within.target.length))
}

/** The command as it can run here, in `directory`: without wrappers, with local paths, on loopback. */
export function localCommand(
  command: readonly string[],
  directory: string,
  mounts: readonly Mount[],
): readonly string[] {
  return unwrapped(command).map((word) => {
    const here = isAbsolute(word) ? localPath(word, mounts) : null
    const path = here === null ? word : relative(directory, here) || '.'
    return path.replaceAll('0.0.0.0', '127.0.0.1')
  })
}

/** Directories of this machine that a service sees: binds of its volumes, and its build context where it works. */
export function mountsOf(
  { volumes = [] }: ComposePart,
  {
    directory,
    context,
    workdir,
  }: { readonly directory: string; readonly context: string | null; readonly workdir: string | null },
): { readonly mounts: readonly Mount[]; readonly named: readonly string[] } {
  const read = volumes.map((volume) => {
    if (typeof volume !== 'string') {
      const { source = '', target = '' } = volume
      return { source, target, written: `${source}:${target}` }
    }
    const [source = '', target = ''] = volume.split(':')
    return { source, target, written: volume }
  })
  const isBind = ({ source, target }: { source: string; target: string }): boolean =>
    target !== '' && /^[./~]/.test(source)
  return {
    mounts: [
      ...read
        .filter(isBind)
        .map(({ source, target }) => ({ target, source: resolve(directory, source), isVolume: true })),
      ...(context === null || workdir === null
        ? []
        : [{ target: workdir, source: context, isVolume: false }]),
    ],
    named: read.filter((each) => !isBind(each)).map(({ written }) => written),
  }
}
