import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { prepareDaemon, type Daemon } from './daemon.ts'
import { importTinyImage } from './image.ts'
import { layNetwork } from './network.ts'

export type { Daemon } from './daemon.ts'
export { startRegistry, type Registry } from './registry.ts'
export { importNodeImage, nodeImage, tinyImage } from './image.ts'

/** Daemons that form one swarm; the first one manages it. */
export interface Swarm {
  readonly daemons: readonly [Daemon, ...Daemon[]]
  /** Ends all of it and removes what it left. */
  stop(): Promise<void>
}

/** Paths of what a swarm needs, as `describeWith` gives them. */
export interface SwarmPrograms {
  readonly dockerd: string
  readonly busybox: string
}

/** Programs that a swarm needs. */
export const swarmPrograms = ['dockerd', 'busybox', 'ip', 'nsenter'] as const

/** Why this machine cannot have namespaces of its own; null: it can. */
export const whyNoSwarm: string | null =
  process.platform !== 'linux' ? 'needs Linux' : process.getuid?.() === 0 ? null : 'needs root'

/** Starts a swarm of some nodes, each with a network of its own, and the tiny image on each. */
export async function startSwarm({ dockerd, busybox }: SwarmPrograms, nodes = 1): Promise<Swarm> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-swarm-'))
  const network = await layNetwork(nodes)
  const daemons = network.machines.map((machine, index) =>
    prepareDaemon(
      {
        ...machine,
        hostName: `box-${index + 1}`,
        program: dockerd,
        directory: join(directory, String(index)),
      },
      `${basename(directory)}-${index}`,
    ),
  )
  const stop = async (): Promise<void> => {
    for (const daemon of daemons) await daemon.remove()
    await network.remove()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const [manager, ...workers] = daemons
    if (manager === undefined) throw new Error('a swarm has at least one node')
    for (const daemon of daemons) await daemon.start()
    await Promise.all(daemons.map(({ docker }) => importTinyImage(docker, busybox)))
    await form(manager, workers)
    return { daemons: [manager, ...workers], stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function form(manager: Daemon, workers: readonly Daemon[]): Promise<void> {
  const at = ({ address }: Daemon): string => `${address}:2377`
  await manager.docker.swarmInit({ ListenAddr: at(manager), AdvertiseAddr: at(manager) })
  if (workers.length === 0) return
  const { JoinTokens } = (await manager.docker.swarmInspect()) as { JoinTokens: { Worker: string } }
  for (const worker of workers) {
    await worker.docker.swarmJoin({
      ListenAddr: at(worker),
      AdvertiseAddr: at(worker),
      RemoteAddrs: [at(manager)],
      JoinToken: JoinTokens.Worker,
    })
  }
}
