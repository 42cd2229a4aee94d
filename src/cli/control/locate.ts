import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/std/index.ts'
import { findDataDirectory, type Directions } from './place.ts'

/** Where control answers, and what opens its door. */
export interface Address {
  readonly url: string
  readonly token?: string | undefined
  /** Absent when the address was given by hand. */
  readonly dataDirectory?: string | undefined
}

function notRunning(dataDirectory: string, cause?: unknown): HoldfastError {
  return new HoldfastError({
    code: 'control.unreachable',
    kind: 'operational',
    message: `no Holdfast runs on ${dataDirectory}`,
    hint: 'start it with "holdfast up", or say where it is with --data, --config or --url',
    cause,
  })
}

function notAllowed(file: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'access.unauthenticated',
    kind: 'user',
    message: `${file} cannot be read (${systemCode(cause) ?? 'unknown reason'}), so there is no token`,
    hint: 'ask as the user who started Holdfast, or give a token with --token or HOLDFAST_TOKEN',
    cause,
  })
}

/** What a running control wrote into its data directory; a killed one leaves it behind. */
export interface Run {
  readonly pid: number
  readonly url: string
}

/** Errors: `control.unreachable` (nothing usable is there), `access.unauthenticated` (it is somebody else's). */
export async function readRun(dataDirectory: string): Promise<Run> {
  const file = join(dataDirectory, 'run', 'control.json')
  try {
    const { pid, url } = JSON.parse(await readFile(file, 'utf8')) as { readonly [K in keyof Run]?: unknown }
    if (typeof pid === 'number' && typeof url === 'string') return { pid, url }
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw notAllowed(file, error)
    throw notRunning(dataDirectory, error)
  }
  throw notRunning(dataDirectory)
}

async function readToken(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'root.token')
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw notAllowed(file, error)
  }
}

/**
 * Finds control: by `--url`, else by what the running Holdfast wrote into its data directory.
 * Errors: `control.unreachable`, `access.unauthenticated` (the files are somebody else's).
 */
export async function locateControl(directions: Directions): Promise<Address> {
  const { url, token } = directions
  if (url !== undefined) return { url: url.replace(/\/+$/, ''), token }
  const dataDirectory = await findDataDirectory(directions)
  const found = await readRun(dataDirectory)
  return { url: found.url, token: token ?? (await readToken(dataDirectory)), dataDirectory }
}
