import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Specification } from '../../../contracts/supervisor.ts'
import { contentHash } from '../../../kernel/std/index.ts'
import { systemCode } from '../../../kernel/std/index.ts'
import type { ProcessUser } from '../machine/as-user.ts'

/** Whose files they are, and what is in them. */
export type Handed = Pick<Specification, 'service' | 'files'>

/** Whoever runs as another user passes through, and sees only what it knows the name of. */
const passageMode = 0o711
const fileMode = 0o400

/** Paths below a directory of the files that something is handed, by name: another content is another file. */
export function placesOf(
  directory: string,
  { service, files = {} }: Handed,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(files).map(([name, { content }]) => [
      name,
      join(directory, service, `${name}-${contentHash(content)}`),
    ]),
  )
}

function isThere(path: string, user: ProcessUser | null): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isFile() === true && (user === null || (found.uid === user.uid && found.gid === user.gid))
}

/** Whole or not at all, and nobody else's for no moment. */
function write(path: string, bytes: Buffer, user: ProcessUser | null): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  writeFileSync(temporary, bytes, { mode: fileMode, flag: 'wx' })
  if (user !== null) lchownSync(temporary, user.uid, user.gid)
  renameSync(temporary, path)
}

/**
 * Puts the files that something is handed below a directory, where nobody but its user may read them, and answers with
 * the variables in which it finds their paths. What is there already is left. Throws the system's error.
 */
export function placeFiles(
  directory: string,
  handed: Handed,
  user: ProcessUser | null,
): Readonly<Record<string, string>> {
  const { files = {}, service } = handed
  const places = Object.entries(placesOf(directory, handed))
  if (places.length === 0) return {}
  for (const passage of [directory, join(directory, service)]) {
    mkdirSync(passage, { recursive: true })
    chmodSync(passage, passageMode)
  }
  for (const [name, path] of places) {
    if (!isThere(path, user)) write(path, Buffer.from(files[name]?.content ?? '', 'base64'), user)
  }
  return Object.fromEntries(places.map(([name, path]) => [`${name}_FILE`, path]))
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Removes files that nothing is handed any more. Throws the system's error. */
export function removeFilesBut(
  directory: string,
  handed: readonly Handed[],
  /** Services of which something runs of which is not known what it was handed. */
  untouched: ReadonlySet<string>,
): void {
  const kept = new Set(handed.flatMap((one) => Object.values(placesOf(directory, one))))
  for (const service of namesIn(directory).filter((name) => !untouched.has(name))) {
    const paths = namesIn(join(directory, service)).map((name) => join(directory, service, name))
    const gone = paths.filter((path) => !kept.has(path))
    for (const path of gone) rmSync(path, { force: true })
    if (gone.length === paths.length) rmSync(join(directory, service), { recursive: true, force: true })
  }
}
