import type Docker from 'dockerode'
import { HoldfastError, plainError } from '../../../kernel/std/index.ts'
import { versionShape, type DockerVersion } from '../../../contracts/docker/swarm.ts'

/** What an answer is parsed with, as a schema does. */
interface Shape<Answer> {
  parse(answer: unknown): Answer
}

/** For an answer of which nothing is read. */
export const unread: Shape<void> = { parse: () => undefined }

/** The way to one Docker daemon. */
export interface DockerDoor {
  /**
   * Asks and parses what comes. Errors: `swarm.unreachable`, `swarm.not-a-manager`, `swarm.too-old`, `swarm.refused` (its
   * cause has Docker's `statusCode`).
   */
  ask<Answer>(shape: Shape<Answer>, what: (docker: Docker) => Promise<unknown>): Promise<Answer>
  /** The same for what takes its time, as a build or a log that is followed; nothing is parsed. */
  askPatiently<Answer>(what: (docker: Docker) => Promise<Answer>): Promise<Answer>
}

const timeoutMs = 10_000
/** What we speak; Debian's daemon speaks nothing newer. */
const spoken = '1.41'

interface Lines {
  readonly quick: Docker
  readonly patient: Docker
}

/** Orders versions as 1.9 before 1.41. */
function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number)
  return major === thanMajor ? minor < thanMinor : major < thanMajor
}

/** The version that both sides speak. Errors: `swarm.too-old`. */
export function chooseVersion({ ApiVersion: newest, MinAPIVersion: oldest }: DockerVersion): string {
  if (isOlder(newest, spoken)) {
    throw new HoldfastError({
      code: 'swarm.too-old',
      kind: 'user',
      message: `the Docker daemon speaks API ${newest}, and ${spoken} is needed`,
      hint: 'Docker 20.10 or newer has it',
    })
  }
  return isOlder(spoken, oldest) ? oldest : spoken
}

/** The status that Docker answered with; undefined: it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const inner = error instanceof HoldfastError ? error.cause : error
  const { statusCode } = (inner ?? {}) as { statusCode?: unknown }
  return typeof statusCode === 'number' ? statusCode : undefined
}

function sayDocker(error: unknown): string {
  const { json } = error as { json?: { message?: unknown } | null }
  return typeof json?.message === 'string' ? json.message : plainError(error).message
}

/** What a refusal or a silence of Docker's is called here. */
function errorOf(error: unknown, socketPath: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const status = statusOf(error)
  const common = { kind: 'operational', cause: error } as const
  if (status === undefined) {
    return new HoldfastError({
      ...common,
      code: 'swarm.unreachable',
      message: `the Docker daemon does not answer on ${socketPath} (${plainError(error).message})`,
      hint: 'what runs goes on; see whether dockerd runs, and whether this user may use its socket',
    })
  }
  if (status === 503 || sayDocker(error).includes('not a swarm manager')) return managesNothing(socketPath)
  return new HoldfastError({
    ...common,
    code: 'swarm.refused',
    message: `Docker refuses: ${sayDocker(error)}`,
    hint: 'its own log says more',
  })
}

/** The daemon is none that may decide about a swarm. */
export function managesNothing(socketPath: string): HoldfastError {
  return new HoldfastError({
    code: 'swarm.not-a-manager',
    kind: 'user',
    message: `the Docker daemon on ${socketPath} is no manager of a swarm, or its swarm has no majority of managers`,
    hint: 'docker swarm init makes one of it',
  })
}

/** `host` is said so that a DOCKER_HOST in our own environment does not count. */
function lineOptions(socketPath: string): Docker.DockerOptions {
  return { socketPath, host: undefined, protocol: 'http' } as unknown as Docker.DockerOptions
}

/** Opens nothing yet: the version is agreed on before the first question, and again after the daemon was away. */
export function dockerDoor(socketPath: string): DockerDoor {
  let opening: Promise<Lines> | null = null
  const open = async (): Promise<Lines> => {
    const { default: Client } = await import('dockerode')
    const options = lineOptions(socketPath)
    const version = `v${chooseVersion(versionShape.parse(await new Client({ ...options, timeout: timeoutMs }).version()))}`
    return {
      quick: new Client({ ...options, version, timeout: timeoutMs }),
      patient: new Client({ ...options, version }),
    }
  }
  const guard = async <Answer>(what: (lines: Lines) => Promise<Answer>): Promise<Answer> => {
    try {
      opening ??= open()
      return await what(await opening)
    } catch (error) {
      const known = errorOf(error, socketPath)
      if (known.code !== 'swarm.refused') opening = null
      throw known
    }
  }
  return {
    ask: (shape, what) => guard(async ({ quick }) => shape.parse(await what(quick))),
    askPatiently: (what) => guard(({ patient }) => what(patient)),
  }
}
