import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { edge } from '../../capabilities/edge/index.ts'
import { limits } from '../../capabilities/limits/index.ts'
import { environmentFileNames } from '../../contracts/environment-file.ts'
import { canonicalJson, HoldfastError, systemCode, type Json } from '../../kernel/std/index.ts'
import { environmentFile, environmentFileSchema, type EnvironmentFile } from './config.ts'
import { readContents, type FileContents } from './contents.ts'
import { evaluateFile } from './evaluation/index.ts'
import { describeIssues, problemError } from './problems.ts'

/** Ports that were given on the command line and win over the file. */
export interface Overrides {
  /** Port of the first listener of the edge. */
  readonly edgePort?: number | undefined
  readonly controlPort?: number | undefined
}

/** An environment file that was read and is valid. */
export interface LoadedEnvironment {
  /** Absolute path. */
  readonly file: string
  /** Absolute directory of the file. */
  readonly directory: string
  /** SHA-256 of the data as written, and of the files that it hands to services; hex. */
  readonly hash: string
  readonly overrides: Overrides
  /** The data as written, without defaults. */
  readonly data: unknown
  readonly environment: EnvironmentFile
  /** What is in the files that it hands to services, as they were read with it; absent: it hands none. */
  readonly contents?: FileContents
}

/** The environment, and where its file lies. */
export type PlacedEnvironment = Pick<LoadedEnvironment, 'file' | 'directory' | 'environment'>

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The environment file of a directory or of the nearest one above it. Errors: `configuration.missing`. */
export async function findFile(from: string): Promise<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    for (const name of environmentFileNames) {
      const file = join(directory, name)
      if (await exists(file)) return file
    }
    if (directory === dirname(directory)) break
  }
  throw new HoldfastError({
    code: 'configuration.missing',
    kind: 'user',
    message: `there is no holdfast.config.ts in ${resolve(from)} or above it`,
    hint: 'write one with "holdfast init", or name one with --config',
  })
}

/** Checks data that an environment file yielded; pure. Errors: `configuration.invalid`. */
export function parseEnvironment(data: unknown): EnvironmentFile {
  const parsed = environmentFile.safeParse(data)
  if (!parsed.success) {
    throw problemError(describeIssues(parsed.error.issues, environmentFileSchema()))
  }
  const { name, services, edge: section } = parsed.data
  const upstreams = Object.entries(services)
    .filter(([, service]) => service.listens)
    .map(([service, { health }]) => ({ name: service, targets: [], healthPath: health ?? null }))
  edge.compile(section, { environment: name, upstreams })
  limits.compile(parsed.data.limits)
  return parsed.data
}

/** The environment with the ports of the command line. */
export function override(environment: EnvironmentFile, overrides: Overrides): EnvironmentFile {
  const { edge: section, control } = environment
  const [first, ...others] = section.listen
  const moved =
    first === undefined || overrides.edgePort === undefined ? first : { ...first, port: overrides.edgePort }
  return {
    ...environment,
    edge: { ...section, listen: moved === undefined ? [] : [moved, ...others] },
    control: { ...control, port: overrides.controlPort ?? control.port },
  }
}

const hashOf = (value: Json): string => createHash('sha256').update(canonicalJson(value)).digest('hex')

/**
 * Reads and checks an environment file without touching anything else.
 * Errors: `configuration.missing`, `configuration.unreadable`, `configuration.invalid`, `limit.unreadable`.
 */
export async function loadEnvironment(path: string, overrides: Overrides = {}): Promise<LoadedEnvironment> {
  const file = resolve(path)
  const trouble = await access(file, constants.R_OK).then(
    () => null,
    (error: unknown) => systemCode(error) ?? 'unknown reason',
  )
  if (trouble === 'EACCES') {
    throw new HoldfastError({
      code: 'configuration.unreadable',
      kind: 'user',
      message: `${file} cannot be read (${trouble})`,
      hint: 'let whoever asks read it; started as root, control is another user unless it could not read the file then',
    })
  }
  if (trouble !== null) {
    throw new HoldfastError({
      code: 'configuration.missing',
      kind: 'user',
      message: `there is no file ${file}`,
      hint: 'write one with "holdfast init"',
    })
  }
  const data = await evaluateFile(file)
  const environment = override(parseEnvironment(data), overrides)
  const directory = dirname(file)
  const contents = await readContents(directory, environment)
  const common = { file, directory, overrides, data, environment }
  if (Object.keys(contents).length === 0) return { ...common, hash: hashOf(data as Json) }
  return { ...common, contents, hash: hashOf({ data: data as Json, contents }) }
}
