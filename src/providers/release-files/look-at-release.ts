import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Release } from '../../capabilities/environment/ports.ts'
import { systemCode } from '../../kernel/std/index.ts'
import { digestTree } from './digest-tree.ts'

/** What lies where a release was stored: `same` as then, `gone`, or `changed`. */
export type ReleaseLook = { readonly state: 'same' } | { readonly state: 'gone' } | Changed

interface Changed {
  readonly state: 'changed'
  /** What seems to have changed, by its times: files, and directories (with a slash at the end) that lost one. */
  readonly paths: readonly string[]
  /** When the first of them changed, milliseconds since the epoch; null: their times do not say. */
  readonly since: number | null
}

/** Digests that were computed, by directory, with what the tree looked like then. */
export type KnownDigests = Map<string, { readonly signature: string; readonly digest: string }>

interface Entry {
  readonly path: string
  readonly isDirectory: boolean
  readonly modifiedMs: number
  /** Of content, name, mode or owner; nobody can set it. */
  readonly changedMs: number
  readonly signature: string
}

const mostKnown = 200

async function entryOf(root: string, path: string, isDirectory: boolean): Promise<Entry> {
  const { mtimeMs, ctimeMs, ino, size, mode } = await lstat(join(root, path))
  const signature = `${path}\0${ino}\0${size}\0${mode}\0${mtimeMs}\0${ctimeMs}\n`
  const shown = isDirectory ? `${path}/` : path
  // When a release was made is known to the millisecond, and its last file was written in that one.
  const [modifiedMs, changedMs] = [Math.floor(mtimeMs), Math.floor(ctimeMs)]
  return { path: shown, isDirectory, modifiedMs, changedMs, signature }
}

async function listTree(root: string, signal: AbortSignal): Promise<readonly Entry[]> {
  const found: Entry[] = [await entryOf(root, '.', true)]
  const visit = async (directory: string): Promise<void> => {
    const entries = await readdir(join(root, directory), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      signal.throwIfAborted()
      const path = join(directory, entry.name)
      found.push(await entryOf(root, path, entry.isDirectory()))
      if (entry.isDirectory()) await visit(path)
    }
  }
  await visit('')
  return found
}

/** A directory changes with what is in it: it is named only where that does not say enough. */
function withoutParents(entries: readonly Entry[]): readonly Entry[] {
  const files = entries.filter(({ isDirectory }) => !isDirectory).map(({ path }) => path)
  const holdsOne = (path: string): boolean =>
    path === './' ? files.some((file) => !file.includes('/')) : files.some((file) => file.startsWith(path))
  return entries.filter(({ isDirectory, path }) => !isDirectory || !holdsOne(path))
}

/** What changed after a moment. Who copies a tree keeps when it was modified, so that says more than when it was changed. */
function changedAfter(entries: readonly Entry[], at: number): Omit<Changed, 'state'> {
  const timed = (timeOf: (entry: Entry) => number) =>
    entries.filter((entry) => timeOf(entry) > at).map((entry) => ({ entry, at: timeOf(entry) }))
  const modified = timed(({ modifiedMs }) => modifiedMs)
  const found = modified.length > 0 ? modified : timed(({ changedMs }) => changedMs)
  const first = found.reduce((least, each) => Math.min(least, each.at), Infinity)
  return {
    paths: withoutParents(found.map(({ entry }) => entry)).map(({ path }) => path),
    since: found.length === 0 ? null : first,
  }
}

async function digestOf(
  directory: string,
  entries: readonly Entry[],
  { known, signal }: { readonly known: KnownDigests; readonly signal: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256')
  for (const entry of entries) hash.update(entry.signature)
  const signature = hash.digest('hex')
  const before = known.get(directory)
  if (before?.signature === signature) return before.digest
  const { digest } = await digestTree(directory, signal)
  if (known.size >= mostKnown) known.clear()
  known.set(directory, { signature, digest })
  return digest
}

/**
 * Compares the files of a release with what was recorded of them. Every file is read the first time, and again when its
 * times say that something changed. Errors: the system's, `environment.release-too-large`, that of the signal.
 */
export async function lookAtRelease(
  directory: string,
  { digest, at }: Pick<Release, 'digest' | 'at'>,
  how: { readonly known: KnownDigests; readonly signal: AbortSignal },
): Promise<ReleaseLook> {
  try {
    const entries = await listTree(directory, how.signal)
    if ((await digestOf(directory, entries, how)) === digest) return { state: 'same' }
    return { state: 'changed', ...changedAfter(entries, at) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { state: 'gone' }
    throw error
  }
}
