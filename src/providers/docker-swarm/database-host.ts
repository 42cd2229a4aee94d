import { PassThrough } from 'node:stream'
import type Docker from 'dockerode'
import type { DatabaseHost, ProgramEnd, RunInside } from '../../capabilities/environment/ports.ts'
import {
  containersShape,
  execShape,
  imageShape,
  labels,
  takenPortsShape,
} from '../../contracts/docker/swarm.ts'
import { plainError } from '../../kernel/std/index.ts'
import { statusOf, type DockerDoor } from './docker/docker-door.ts'
import type { Look } from './docker/look.ts'

/** Runs database servers, and their clients beside them. */
export interface SwarmDatabases extends DatabaseHost {
  readonly runInside: RunInside
}

const trialTimeoutMs = 30_000
const mostBytes = 1_048_576

const variablesOf = (variables: Readonly<Record<string, string>>): string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`)

/** Reads what a container or a program in it writes, until it ends. */
async function readOutput(
  docker: Docker,
  stream: NodeJS.ReadableStream,
): Promise<{ readonly out: string; readonly err: string }> {
  const sides = { out: new PassThrough(), err: new PassThrough() }
  const read = async (side: PassThrough): Promise<string> => {
    let text = ''
    for await (const chunk of side) if (text.length < mostBytes) text += String(chunk)
    return text
  }
  docker.modem.demuxStream(stream, sides.out, sides.err)
  const end = (): void => {
    sides.out.end()
    sides.err.end()
  }
  stream.once('end', end).once('close', end).once('error', end)
  const [out, err] = await Promise.all([read(sides.out), read(sides.err)])
  return { out, err }
}

/** Runs a command in a container that runs, to its end. */
async function execIn(
  docker: Docker,
  container: string,
  { command, variables, signal }: Execution,
): Promise<ProgramEnd> {
  const exec = await docker.getContainer(container).exec({
    Cmd: [...command],
    Env: variablesOf(variables),
    AttachStdout: true,
    AttachStderr: true,
    abortSignal: signal,
  })
  const stream = await exec.start({ abortSignal: signal })
  const said = await readOutput(docker, stream)
  signal.throwIfAborted()
  const { ExitCode } = execShape.parse(await exec.inspect())
  return { code: ExitCode ?? null, ...said }
}

interface Execution {
  readonly command: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** The door of a daemon as databases see it. */
export interface DatabaseGround {
  readonly door: DockerDoor
  readonly environment: string
  readonly place: Look['place']
}

/** Runs what an image says to a command; the container has no network, and goes by itself. */
async function tryOut(
  { door, environment }: DatabaseGround,
  image: string,
  command: readonly string[],
): Promise<string> {
  const [program = '', ...rest] = command
  return door.askPatiently(async (docker) => {
    const container = await docker.createContainer({
      Image: image,
      Entrypoint: [program],
      Cmd: rest,
      Labels: { [labels.environment]: environment },
      HostConfig: { AutoRemove: true, NetworkMode: 'none' },
    })
    const signal = AbortSignal.timeout(trialTimeoutMs)
    try {
      const stream = await container.attach({ stream: true, stdout: true, stderr: true, abortSignal: signal })
      const said = readOutput(docker, stream)
      await container.start({ abortSignal: signal })
      const { out, err } = await said
      return `${out}${err}`
    } finally {
      await container.remove({ force: true }).catch(() => undefined) // it went by itself
    }
  })
}

/** Creates what runs databases on the node of a daemon; nothing is asked yet. */
export function swarmDatabases(ground: DatabaseGround): SwarmDatabases {
  const { door, environment, place } = ground
  /** What images said: an image never changes. */
  const said = new Map<string, string>()

  const containerOf = async (service: string): Promise<string | undefined> => {
    const label = [`${labels.environment}=${environment}`, `${labels.service}=${service}`]
    const found = await door.ask(containersShape, (docker) => docker.listContainers({ filters: { label } }))
    return found[0]?.Id
  }

  return {
    home: async () => {
      const { daemon, address } = await place()
      const takenPorts = await door.ask(takenPortsShape, (docker) => docker.listServices())
      const host = address.includes(':') ? `[${address}]` : address
      return { daemon, host, takenPorts }
    },
    imageId: async (image) => {
      try {
        return (await door.ask(imageShape, (docker) => docker.getImage(image).inspect())).Id
      } catch (error) {
        if (statusOf(error) === 404) return null
        throw error
      }
    },
    tryOut: async (image, command) => {
      const key = JSON.stringify([image, ...command])
      const words = said.get(key) ?? (await tryOut(ground, image, command))
      if (words.trim() !== '') said.set(key, words)
      return words
    },
    runInside: async (service, command, { variables = {}, timeoutMs }) => {
      try {
        const container = await containerOf(service)
        if (container === undefined)
          return { code: null, out: '', err: `${service} has no container on this node` }
        const signal = AbortSignal.timeout(timeoutMs)
        return await door.askPatiently((docker) => execIn(docker, container, { command, variables, signal }))
      } catch (error) {
        return { code: null, out: '', err: plainError(error).message }
      }
    },
  }
}
