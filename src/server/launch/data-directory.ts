import { chmod, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, saySize, systemCode } from '../../kernel/std/index.ts'

/** With less than this the stores could not even start. */
const leastFreeBytes = 32 * 1024 * 1024

/** By any of these a directory is known as ours. */
const landmarks = ['environment.json', 'lock.db', 'timeline.db']
/** What an interrupted first start leaves, and what a disk of its own begins with. */
const beginnings = [
  'run',
  'logs',
  'compiled',
  'supervisor',
  'start.db',
  'start.db-journal',
  'environment.json.new',
  '.write-probe',
  'lost+found',
]

function explain(directory: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(directory, 'the disk is full', error)
  if (code === 'ENOTDIR' || code === 'EEXIST') return noDirectory(directory, error)
  return new HoldfastError({
    code: 'data.unwritable',
    kind: 'operational',
    message: `the data directory ${directory} cannot be written (${code ?? String(error)})`,
    hint: 'choose another with --data, or make it yours: chown -R "$USER" <directory>',
    cause: error,
  })
}

function full(directory: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'data.disk-full',
    kind: 'operational',
    message: `there is no room in the data directory ${directory}: ${why}`,
    hint: 'free some space, or choose another directory with --data',
    cause,
  })
}

function noDirectory(directory: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'data.unwritable',
    kind: 'user',
    message: `the data directory ${directory} cannot be made: a file is in its place or in that of one above it`,
    hint: 'choose another with --data',
    cause,
  })
}

const ofTheDisk = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM']

/** What the disk below the data directory refused, in our words; any other error as it is. */
export function explainDisk(directory: string, error: unknown): unknown {
  return ofTheDisk.includes(systemCode(error) ?? '') ? explain(directory, error) : error
}

/** We close the data directory to others, which must not happen to /tmp or somebody's home. */
async function refuseForeign(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  if (found.some((name) => landmarks.includes(name))) return
  if (found.every((name) => beginnings.includes(name))) return
  throw new HoldfastError({
    code: 'data.not-ours',
    kind: 'user',
    message: `${directory} holds something else: it is neither empty nor a data directory of Holdfast`,
    hint: 'name a directory of its own with --data; it is made when it does not exist',
  })
}

async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(async (error: unknown) => {
    // On a read-only disk Node's recursive form says ENOENT; the plain one says what is the matter.
    if (systemCode(error) === 'ENOENT') await mkdir(directory, { mode: 0o700 })
    throw error
  })
}

/** Where services have users of their own, they may pass through, for which the group stands; nobody else may. */
async function closeToOthers(directory: string): Promise<void> {
  const { mode, uid } = await stat(directory)
  const passable = process.getuid?.() === 0 && uid !== 0 && (mode & 0o777) === 0o710
  if (!passable) await chmod(directory, 0o700)
}

async function writeProbe(directory: string): Promise<void> {
  const file = join(directory, '.write-probe')
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.write('x'.repeat(4096))
    await handle.sync()
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
}

/**
 * Makes the data directory (mode 0700) and proves that it can be written.
 * Errors: `data.unwritable`, `data.disk-full`, `data.not-ours`.
 */
export async function prepareDataDirectory(directory: string): Promise<void> {
  try {
    await refuseForeign(directory)
    await makeDirectory(directory)
    await makeDirectory(join(directory, 'run'))
    await makeDirectory(join(directory, 'logs'))
    await closeToOthers(directory)
    await writeProbe(directory)
  } catch (error) {
    throw explain(directory, error)
  }
  const { bavail, bsize } = await statfs(directory)
  const freeBytes = bavail * bsize
  if (freeBytes < leastFreeBytes) throw full(directory, `only ${saySize(freeBytes)} are free`)
}
