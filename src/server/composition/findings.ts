import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { edge } from '../../capabilities/edge/index.ts'
import { environment } from '../../capabilities/environment/index.ts'
import type { Finding } from '../../kernel/capability/index.ts'
import { systemClock, systemCode } from '../../kernel/std/index.ts'
import { programFinder } from '../../providers/host-programs/index.ts'
import type { LoadedEnvironment } from './load.ts'
import type { Problem } from './problems.ts'

/** The variables that are set, as plain data. */
export function definedVariables(variables: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

async function isReadable(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

async function isMissing(file: string): Promise<boolean> {
  return stat(file).then(
    () => false,
    (error: unknown) => systemCode(error) === 'ENOENT',
  )
}

/** Files that say by what users are known, in full; public keys at an address are none. */
async function proofFiles({ directory, environment }: LoadedEnvironment) {
  const { jwt, apiKeys, session } = environment.edge.identity ?? {}
  const named = [
    { file: jwt?.jwks, path: 'edge.identity.jwt.jwks' },
    { file: apiKeys?.file, path: 'edge.identity.apiKeys.file' },
    { file: session?.secretFile, path: 'edge.identity.session.secretFile' },
  ]
  const files = named.flatMap(({ file, path }) =>
    file === undefined || file.startsWith('https://') ? [] : [{ file: resolve(directory, file), path }],
  )
  // A service that signs tokens writes its public keys itself, and has not run yet: the edge waits for the file.
  const jwks = files.find(({ path }) => path === 'edge.identity.jwt.jwks')
  const isToCome = jwks !== undefined && (await isMissing(jwks.file))
  return isToCome ? files.filter((each) => each !== jwks) : files
}

async function unreadableFiles(loaded: LoadedEnvironment): Promise<readonly Problem[]> {
  const { edge, control } = loaded.environment
  const named = [
    ...edge.listen.map((listener, index) => ({ tls: listener.tls, path: `edge.listen.${index}.tls` })),
    { tls: control.tls, path: 'control.tls' },
  ]
  const files = named.flatMap(({ tls, path }) =>
    tls === undefined
      ? []
      : [
          { file: resolve(loaded.directory, tls.certificate), path: `${path}.certificate` },
          { file: resolve(loaded.directory, tls.key), path: `${path}.key` },
        ],
  )
  files.push(...(await proofFiles(loaded)))
  const problems = await Promise.all(
    files.map(async ({ file, path }): Promise<Problem | null> => {
      if (await isReadable(file)) return null
      return {
        path,
        message: `the file ${file} cannot be read`,
        hint: 'write its path relative to the environment file',
      }
    }),
  )
  return problems.filter((problem) => problem !== null)
}

function asProblem({ path, message, hint }: Finding): Problem {
  return { path: path ?? '', message, hint: hint ?? '' }
}

/** What on this machine keeps a valid environment file from running; looks, never touches. */
export async function findTroubles(
  loaded: LoadedEnvironment,
  variables: NodeJS.ProcessEnv,
): Promise<readonly Problem[]> {
  const { services } = loaded.environment
  const hostVariables = definedVariables(variables)
  const ground = { directory: loaded.directory, hostVariables }
  const programs = await environment.findProgramTroubles(
    services,
    ground,
    programFinder(hostVariables['PATH'] ?? ''),
  )
  const missing = environment.findMissingVariables(services, ground)
  const expired = edge.findExpiredWaivers(loaded.environment.edge, systemClock.now())
  return [...[...programs, ...missing].map(asProblem), ...expired, ...(await unreadableFiles(loaded))]
}

/** What is allowed and probably not meant; it keeps nothing from running. */
export function findDoubts({ environment }: LoadedEnvironment): readonly Problem[] {
  return edge.findBroadTrust(environment.edge)
}
