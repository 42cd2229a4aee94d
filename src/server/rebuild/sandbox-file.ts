import type { EnvironmentInput } from '../composition/index.ts'

/** How the second environment is to differ from the file. */
export interface SandboxWish {
  readonly into: string
  /** Directories of services that take the place of their own: copies of releases that were deployed. Absolute. */
  readonly directories: Readonly<Record<string, string>>
  /** Ports of its own, one for each listener and a last one for control; null: those of the file, in a network of its own. */
  readonly ports: readonly number[] | null
  /** Absolute directory in which stand-ins for files with secrets are to lie. */
  readonly standIns: string
  /** A value that nobody has used before, for a place where a secret would stand. */
  readonly invent: () => string
}

/** An environment file for the second environment, and what it needs beside it. */
export interface SandboxFile {
  readonly data: EnvironmentInput
  /** Variables that stand for those that hold secrets. */
  readonly variables: Readonly<Record<string, string>>
  /** Texts of files that stand for those that hold secrets, by absolute path. */
  readonly files: Readonly<Record<string, string>>
  /** What was left out, in words. */
  readonly notes: readonly string[]
}

type Services = EnvironmentInput['services']
type Service = Services[string]
type Edge = NonNullable<EnvironmentInput['edge']>

/** Nothing listens there in a network of its own, and hardly anything elsewhere (RFC 863). */
const nowhere = 'http://127.0.0.1:9'
/** A throwaway has nothing to lose by ending soon. */
const stopTimeout = '2s'
/** Ports below this need permission, which a user's own network does not give. */
const firstFreePort = 1024

function standInService(service: Service, directory: string | undefined): Service {
  const base = { ...service, replicas: 1, stopTimeout, ...(directory === undefined ? {} : { directory }) }
  return service.address === undefined ? base : { ...base, address: nowhere }
}

const movedPort = (given: number): number => (given < firstFreePort ? given + 20_000 : given)

function standInListen(edge: Edge, ports: SandboxWish['ports']): Edge['listen'] {
  const listen = edge.listen ?? [{ port: 8080 }]
  return listen.map(({ port }, index) => ({ port: ports?.[index] ?? movedPort(port), host: '127.0.0.1' }))
}

/** API keys and secrets of sessions are replaced; public keys are none. */
function standInIdentity({ identity }: Edge, standIns: string): Pick<Edge, 'identity'> {
  if (identity === undefined) return {}
  const { apiKeys, session } = identity
  return {
    identity: {
      ...identity,
      ...(apiKeys && { apiKeys: { ...apiKeys, file: `${standIns}/api-keys.json` } }),
      ...(session?.secretFile !== undefined && {
        session: { ...session, secretFile: `${standIns}/session-secret` },
      }),
    },
  }
}

function standInEdge(edge: Edge, { ports, standIns }: SandboxWish): Edge {
  const { shared: _counters, ...alone } = edge
  return { ...alone, listen: standInListen(edge, ports), ...standInIdentity(edge, standIns) }
}

/** What somebody else runs is not reached, and its address may hold a password: an empty one of its kind takes its place. */
function standInDatabases({ databases = {} }: EnvironmentInput): NonNullable<EnvironmentInput['databases']> {
  return Object.fromEntries(
    Object.entries(databases).map(([name, { url: _address, urlVariable: _variable, ...rest }]) => [
      name,
      rest,
    ]),
  )
}

function standInControl(control: EnvironmentInput['control'] = {}, ports: SandboxWish['ports']) {
  const { tls: _secret, hosts: _names, ...rest } = control
  return { ...rest, host: '127.0.0.1', port: ports?.at(-1) ?? movedPort(control.port ?? 8400) }
}

/** Names of all variables that are handed on from the shell, wherever the file names them. */
function namedVariables({ services, jobs = {}, edge }: EnvironmentInput): readonly string[] {
  const passed = [...Object.values(services), ...Object.values(jobs)].flatMap(({ passEnv = [] }) => passEnv)
  const handed = Object.values(services).flatMap(({ files = {} }) =>
    Object.values(files).flatMap((file) => (typeof file === 'string' ? [] : [file.variable])),
  )
  const secret = edge?.identity?.session?.secretVariable
  return [...new Set([...passed, ...handed, ...(secret === undefined ? [] : [secret])])]
}

const noteWhen = (holds: boolean, note: string): readonly string[] => (holds ? [note] : [])

function foreignDatabases({ databases = {} }: EnvironmentInput): readonly string[] {
  const isForeign = (name: string): boolean =>
    databases[name]?.url !== undefined || databases[name]?.urlVariable !== undefined
  return Object.keys(databases).filter(isForeign)
}

function notesOf(data: EnvironmentInput): readonly string[] {
  const { services, schedules = {}, edge = {}, control = {} } = data
  const replaced = foreignDatabases(data)
  const foreign = Object.keys(services).filter((name) => services[name]?.address !== undefined)
  const planned = Object.keys(schedules)
  const encrypts = [control, ...(edge.listen ?? [])].some(({ tls }) => tls !== undefined)
  return [
    ...noteWhen(foreign.length > 0, `${foreign.join(', ')}: somebody else runs it, so it is not there`),
    ...noteWhen(
      replaced.length > 0,
      `${replaced.join(', ')}: empty ones of its own take the place of others'`,
    ),
    ...noteWhen(planned.length > 0, `schedules are off: ${planned.join(', ')}`),
    ...noteWhen(encrypts, 'it speaks plain HTTP: certificates have secret keys'),
    ...noteWhen(edge.shared !== undefined, 'limits count in this edge alone, not on the shared store'),
  ]
}

/**
 * The file of a second environment: renamed, one replica of everything, on ports of its own, without schedules, shared
 * counters and certificates, and with stand-ins for whatever holds a secret. `data` is a valid file as written; pure.
 */
export function sandboxFile(data: EnvironmentInput, wish: SandboxWish): SandboxFile {
  const { schedules: _off, ...rest } = data
  const { into, directories, standIns, invent } = wish
  const services = Object.entries(data.services).map(
    ([name, service]) => [name, standInService(service, directories[name])] as const,
  )
  const variables = namedVariables(data).map((name) => [name, `sandbox-${invent()}`] as const)
  return {
    data: {
      ...rest,
      name: into,
      services: Object.fromEntries(services),
      databases: standInDatabases(data),
      edge: standInEdge(data.edge ?? {}, wish),
      control: standInControl(data.control, wish.ports),
    },
    variables: Object.fromEntries(variables),
    files: {
      [`${standIns}/api-keys.json`]: '{}',
      [`${standIns}/session-secret`]: `sandbox-${invent()}\n`,
    },
    notes: notesOf(data),
  }
}

/** Services that insist on a port, which the second environment could not have beside the first. */
export function fixedPorts({ services }: EnvironmentInput): readonly string[] {
  return Object.keys(services).filter((name) => services[name]?.port !== undefined)
}
