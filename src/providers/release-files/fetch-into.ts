import { spawn, type ChildProcess } from 'node:child_process'
import { cp, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import type { ReleaseSource } from '../../capabilities/environment/ports.ts'
import { HoldfastError, systemCode } from '../../kernel/std/index.ts'

/** How files are fetched. */
export interface Fetching {
  /** A directory that never belongs to a release, wherever the source lies: releases themselves. */
  readonly avoid: string
  readonly signal: AbortSignal
}

/** What lies in a working directory and is no part of a release. */
const leftOut: ReadonlySet<string> = new Set(['.git', '.holdfast', '.hg', '.svn'])
const mostWords = 2000
/** What `tar` calls it. */
const standardInput = '-'

function unreadable(source: ReleaseSource, why: string, cause?: unknown): HoldfastError {
  const where = source.kind === 'git' ? `${source.ref} in ${source.path}` : source.path
  return new HoldfastError({
    code: 'environment.release-unreadable',
    kind: 'user',
    message: `the files of the release cannot be read from ${where}: ${why}`,
    hint: 'name a directory, a .tar, .tar.gz or .tgz file, or git:<ref>',
    cause,
  })
}

/** Whether one path is the other, or lies in it. */
const isWithin = (path: string, directory: string): boolean => !relative(directory, path).startsWith('..')

/** Entry by entry where the tree holds `avoid`, for nothing can be copied into itself. */
async function copyTree(from: string, to: string, avoid: string): Promise<void> {
  const isWanted = (path: string): boolean => !leftOut.has(basename(path)) && !isWithin(path, avoid)
  for (const { name } of await readdir(from, { withFileTypes: true })) {
    const path = join(from, name)
    if (!isWanted(path)) continue
    if (!isWithin(avoid, path)) {
      await cp(path, join(to, name), { recursive: true, verbatimSymlinks: true, filter: isWanted })
    } else {
      await mkdir(join(to, name))
      await copyTree(path, join(to, name), avoid)
    }
  }
}

async function copyDirectory(into: string, source: ReleaseSource, avoid: string): Promise<void> {
  const found = await stat(source.path)
  if (!found.isDirectory()) throw unreadable(source, 'it is no directory')
  await copyTree(source.path, into, avoid)
}

/** Resolves to what it wrote to standard error when it ended well; rejects with that otherwise. */
function ended(child: ChildProcess, name: string): Promise<void> {
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-mostWords)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(words.trim() === '' ? `${name} ended with ${code}` : words.trim()))
    })
  })
}

const stdio = (input: 'ignore' | 'pipe', output: 'ignore' | 'pipe') => [input, output, 'pipe'] as const

function untar(into: string, file: string, signal: AbortSignal) {
  const flags = ['--extract', '--no-same-owner', '--no-same-permissions', '--directory', into]
  const input = file === standardInput ? 'pipe' : 'ignore'
  return spawn('tar', [...flags, '--file', file], { stdio: [...stdio(input, 'ignore')], signal })
}

/** `git archive | tar`: what the ref holds below the service's directory, whatever the working tree looks like. */
async function fetchGit(
  into: string,
  source: ReleaseSource & { kind: 'git' },
  signal: AbortSignal,
): Promise<void> {
  const { path, ref } = source
  const archive = spawn('git', ['-C', path, 'archive', '--format=tar', '--end-of-options', ref, '.'], {
    stdio: [...stdio('ignore', 'pipe')],
    signal,
  })
  const unpack = untar(into, standardInput, signal)
  // Either end may be gone before the other has noticed; both say how they ended.
  if (unpack.stdin !== null) archive.stdout?.pipe(unpack.stdin).on('error', () => undefined)
  await Promise.all([ended(archive, 'git archive'), ended(unpack, 'tar')])
}

/** An archive of one directory, as npm and forges make them, is that directory's content. */
async function stripOnlyDirectory(into: string, names: readonly string[]): Promise<void> {
  const [only] = names
  if (only === undefined || names.length > 1) return
  const inner = join(into, only)
  if (!(await lstat(inner)).isDirectory()) return
  const aside = `${into}.inner`
  await rename(inner, aside)
  await rm(into, { recursive: true })
  await rename(aside, into)
}

/** Puts the files of a release into an empty directory. Errors: `environment.release-unreadable`. */
export async function fetchInto(
  into: string,
  source: ReleaseSource,
  { avoid, signal }: Fetching,
): Promise<void> {
  try {
    if (source.kind === 'directory') await copyDirectory(into, source, avoid)
    else if (source.kind === 'git') await fetchGit(into, source, signal)
    else await unpackTarball(into, source, signal)
  } catch (error) {
    if (signal.aborted || error instanceof HoldfastError) throw error
    const code = systemCode(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') throw error
    throw unreadable(source, (error as Error).message, error)
  }
}

async function unpackTarball(into: string, { path }: ReleaseSource, signal: AbortSignal): Promise<void> {
  await ended(untar(into, path, signal), 'tar')
  await stripOnlyDirectory(into, await readdir(into))
}
