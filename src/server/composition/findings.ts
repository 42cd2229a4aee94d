import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { edge } from '../../capabilities/edge/index.ts'
import { environment } from '../../capabilities/environment/index.ts'
import type { Finding } from '../../kernel/capability/index.ts'
import { systemClock, systemCode, systemRandom } from '../../kernel/std/index.ts'
import { databaseDirectories, databaseServers } from '../../providers/databases/index.ts'
import { canRun } from '../../providers/host-programs/index.ts'
import { nodesOf, othersLookingAfter } from '../engine/index.ts'
import { runsContainers } from './config.ts'
import { findUnfitContents } from './contents.ts'
import type { LoadedEnvironment, PlacedEnvironment } from './load.ts'
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

const keysPath = 'edge.identity.jwt.jwks'

/** The file of public keys, absolute; undefined: there is none, or it is fetched. */
function keysFile({ directory, environment: { edge } }: PlacedEnvironment): string | undefined {
  const jwks = edge.identity?.jwt?.jwks
  return typeof jwks !== 'string' || jwks.startsWith('https://') ? undefined : resolve(directory, jwks)
}

/** A service that signs tokens may write its public keys itself when it first runs: the edge waits for that file. */
async function keysToCome(loaded: LoadedEnvironment): Promise<string | undefined> {
  const file = keysFile(loaded)
  const state = file === undefined ? null : await stat(file).catch((error: unknown) => systemCode(error))
  return state === 'ENOENT' ? file : undefined
}

/** Files that say by what users are known, in full; public keys at an address, or still to come, are none. */
async function proofFiles(loaded: LoadedEnvironment) {
  const { apiKeys, session } = loaded.environment.edge.identity ?? {}
  const jwks = (await keysToCome(loaded)) === undefined ? keysFile(loaded) : undefined
  const named = [
    { file: jwks, path: keysPath },
    { file: apiKeys?.file, path: 'edge.identity.apiKeys.file' },
    { file: session?.secretFile, path: 'edge.identity.session.secretFile' },
  ]
  return named.flatMap(({ file, path }) =>
    file === undefined ? [] : [{ file: resolve(loaded.directory, file), path }],
  )
}

/** Files with certificates and their keys, in full. */
function certificateFiles(loaded: PlacedEnvironment): readonly { file: string; path: string }[] {
  const { edge, control } = loaded.environment
  const named = [
    ...edge.listen.map((listener, index) => ({ tls: listener.tls, path: `edge.listen.${index}.tls` })),
    { tls: control.tls, path: 'control.tls' },
  ]
  return named.flatMap(({ tls, path }) =>
    tls === undefined
      ? []
      : [
          { file: resolve(loaded.directory, tls.certificate), path: `${path}.certificate` },
          { file: resolve(loaded.directory, tls.key), path: `${path}.key` },
        ],
  )
}

/** The files that an environment file names, which control and edge read; some may not be there yet. */
export function namedFiles(loaded: PlacedEnvironment): readonly string[] {
  const { apiKeys, session } = loaded.environment.edge.identity ?? {}
  const proofs = [apiKeys?.file, session?.secretFile].filter((file) => file !== undefined)
  const keys = keysFile(loaded)
  const certificates = certificateFiles(loaded).map(({ file }) => file)
  const named = proofs.map((file) => resolve(loaded.directory, file))
  return [...certificates, ...named, ...(keys === undefined ? [] : [keys])]
}

async function unreadableFiles(loaded: LoadedEnvironment): Promise<readonly Problem[]> {
  const files = [...certificateFiles(loaded), ...(await proofFiles(loaded))]
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

/** Volumes that would be somewhere else for each replica, as far as the swarm can be asked. */
async function unplacedVolumes({ environment: file }: LoadedEnvironment): Promise<readonly Finding[]> {
  if (Object.keys(file.volumes).length === 0) return []
  const nodes = await nodesOf(file)
  return nodes === null ? [] : environment.findUnplacedVolumes(file, nodes)
}

/** Another Holdfast that looks after the services of an environment of this name, as far as the swarm can be asked. */
export async function findOthers(
  { environment: file }: LoadedEnvironment,
  dataDirectory: string,
): Promise<readonly Problem[]> {
  const others = await othersLookingAfter(file, dataDirectory)
  if (others.length === 0) return []
  const message = `another Holdfast (${others.join(', ')}) looks after the services of an environment "${file.name}" in this swarm`
  const hint =
    'give this one another name; if the other is gone for good, its data directory lost, say: holdfast up --take-over'
  return [{ path: 'name', message, hint }]
}

/**
 * What on this machine keeps a valid environment file from running; looks, never touches. With a data directory also what
 * its data would not go together with.
 */
export async function findTroubles(
  loaded: LoadedEnvironment,
  variables: NodeJS.ProcessEnv,
  dataDirectory?: string,
): Promise<readonly Problem[]> {
  const { services } = loaded.environment
  const hostVariables = definedVariables(variables)
  const containers = runsContainers(loaded.environment)
  const { directory } = loaded
  const ground = { directory, hostVariables, containers }
  const programs = await environment.findProgramTroubles(services, ground, canRun)
  const missing = [
    ...environment.findMissingVariables(services, ground),
    ...environment.findUnfitFiles(services, ground),
  ]
  const databases = await environment.findDatabaseTroubles(loaded.environment.databases, {
    providers: databaseServers(hostVariables['PATH'] ?? ''),
    store:
      dataDirectory === undefined
        ? null
        : databaseDirectories(join(dataDirectory, 'databases'), systemRandom),
    hostVariables,
  })
  const unmet = environment.findNeeds(loaded.environment)
  const unfit = [...environment.findUnfit(loaded.environment, ground), ...(await unplacedVolumes(loaded))]
  const expired = edge.findExpiredWaivers(loaded.environment.edge, systemClock.now())
  return [
    ...[...unfit, ...programs, ...missing, ...databases, ...unmet].map(asProblem),
    ...expired,
    ...(await unreadableFiles(loaded)),
    ...(await findUnfitContents(directory, loaded.environment)),
  ]
}

/** A port in host mode is bound to every address of its node. */
function openPorts({ environment: file }: LoadedEnvironment): readonly Problem[] {
  if (!runsContainers(file)) return []
  const message =
    'on Docker Swarm each replica has a port on its node, which others may reach past the edge and its limits'
  const hint = 'let only this machine reach the ports 32768 to 60999 of the nodes; the guide says how'
  return [{ path: 'engine', message, hint }]
}

/** What is allowed and probably not meant; it keeps nothing from running. */
export async function findDoubts(loaded: LoadedEnvironment): Promise<readonly Problem[]> {
  const file = await keysToCome(loaded)
  const message = `there is no ${file} yet`
  const hint = 'until something writes it, users are known by address'
  const missing = file === undefined ? [] : [{ path: keysPath, message, hint }]
  return [...edge.findBroadTrust(loaded.environment.edge), ...openPorts(loaded), ...missing]
}
