import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** A Redis of one's own on a unix socket, without anything on disk. */
export interface RedisServer {
  /** The path of its socket, which `openCounterStore` takes as a URL. */
  readonly url: string
  /** A client to look and to meddle with. */
  readonly client: Redis
  /** Sends a signal to the server alone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts an empty one in the place of one that was killed. */
  restart(): Promise<void>
  /** Ends it and removes what it left. */
  stop(): Promise<void>
}

/** Starts a Redis; `program` is the path that `describeWith` gives. */
export async function startRedisServer(program: string): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-redis-'))
  const url = join(directory, 'socket')
  const start = async (): Promise<ChildProcess> => {
    const quiet = ['--port', '0', '--save', '', '--appendonly', 'no', '--loglevel', 'warning']
    const child = spawn(program, ['--unixsocket', url, '--dir', directory, ...quiet], { stdio: 'ignore' })
    while (!existsSync(url) && child.exitCode === null) await new Promise((go) => setTimeout(go, 10))
    return child
  }
  let child = await start()
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, protocol: 2 })
  client.on('error', () => undefined)
  await client.ping()
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const isOver = signal === 'SIGKILL' && child.exitCode === null && child.signalCode === null
    const ended = isOver ? new Promise((resolve) => child.once('exit', resolve)) : Promise.resolve()
    child.kill(signal)
    await ended
  }
  return {
    url,
    client,
    kill,
    restart: async () => {
      rmSync(url, { force: true })
      child = await start()
      await client.ping()
    },
    stop: async () => {
      client.disconnect()
      await kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
