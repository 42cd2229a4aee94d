import { chmod, mkdir, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, saySize, systemCode } from '../../kernel/std/index.ts'

/** With less than this the stores could not even start. */
const leastFreeBytes = 32 * 1024 * 1024

function explain(directory: string, error: unknown): HoldfastError {
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(directory, 'the disk is full', error)
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
 * Errors: `data.unwritable`, `data.disk-full`.
 */
export async function prepareDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(join(directory, 'run'), { recursive: true, mode: 0o700 })
    await mkdir(join(directory, 'logs'), { recursive: true, mode: 0o700 })
    await chmod(directory, 0o700)
    await writeProbe(directory)
  } catch (error) {
    throw explain(directory, error)
  }
  const { bavail, bsize } = await statfs(directory)
  const freeBytes = bavail * bsize
  if (freeBytes < leastFreeBytes) throw full(directory, `only ${saySize(freeBytes)} are free`)
}
