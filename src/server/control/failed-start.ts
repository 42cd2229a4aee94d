import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, plainError, type PlainError } from '../../kernel/std/index.ts'

/** Why the control with this pid did not start. */
interface FailedStart {
  readonly pid: number
  readonly error: HoldfastError
}

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'run', 'control-failed.json')

/**
 * Leaves the reason in `run/control-failed.json`, where `holdfast up` looks for it. Never rejects: on a full disk the
 * log has to do.
 */
export async function noteFailedStart(dataDirectory: string, error: unknown): Promise<void> {
  const path = fileOf(dataDirectory)
  const text = JSON.stringify({ pid: process.pid, error: plainError(error) })
  try {
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch {
    await rm(`${path}.new`, { force: true }).catch(() => undefined)
  }
}

/** Removes the reason of an earlier failure. Never rejects. */
export async function forgetFailedStart(dataDirectory: string): Promise<void> {
  await rm(fileOf(dataDirectory), { force: true }).catch(() => undefined)
}

/** The failure that was noted last; null: none, or the file is unreadable. */
export async function readFailedStart(dataDirectory: string): Promise<FailedStart | null> {
  try {
    const found = JSON.parse(await readFile(fileOf(dataDirectory), 'utf8')) as Partial<{
      pid: number
      error: Partial<PlainError>
    }> | null
    const { code, message, kind = 'operational', hint, path } = found?.error ?? {}
    if (typeof found?.pid !== 'number' || typeof code !== 'string' || typeof message !== 'string') return null
    return { pid: found.pid, error: new HoldfastError({ code, kind, message, hint, path }) }
  } catch {
    return null
  }
}
