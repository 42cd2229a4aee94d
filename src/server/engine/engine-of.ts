import { join } from 'node:path'
import type { Clock, Random } from '../../kernel/std/index.ts'
import { claimGroups, otherOwners, swarmEngine, swarmNodes } from '../../providers/docker-swarm/index.ts'
import { localEngine } from '../../providers/local-engine/index.ts'
import { logFiles } from '../../providers/log-files/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import { volumeDirectories } from '../../providers/volume-directories/index.ts'
import { forgetTakeOver, houseIdOf, isTakeOverAsked, readHouseId } from './house-id.ts'

/** What of an environment file says where it runs. */
interface EngineSections {
  readonly name: string
  readonly engine: 'local' | { readonly swarm: string }
}

/** Path of the socket of the daemon that an environment names; null: it runs on this machine. */
export function socketOf({ engine }: Pick<EngineSections, 'engine'>): string | null {
  return engine === 'local' ? null : engine.swarm.slice('unix://'.length)
}

/** The nodes that an environment runs on, where there may be several; null: there are not, or they cannot be asked for now. */
export async function nodesOf(environment: Pick<EngineSections, 'engine'>) {
  const socketPath = socketOf(environment)
  return socketPath === null ? null : swarmNodes(socketPath)
}

/**
 * Ids of other data directories from which services of an environment are looked after; none where there can be no others,
 * or where nobody can be asked now.
 */
export async function othersLookingAfter(
  environment: EngineSections,
  dataDirectory: string,
): Promise<readonly string[]> {
  const socketPath = socketOf(environment)
  if (socketPath === null) return []
  const id = (await readHouseId(dataDirectory)) ?? ''
  return (await otherOwners(socketPath, { environment: environment.name, id })) ?? []
}

/** What engines are opened for. */
export interface EngineGround {
  readonly environment: EngineSections
  readonly dataDirectory: string
  readonly clock: Clock
  readonly random: Random
}

/** See the port of the environment. */
type TakeOver = (tell: (from: readonly string[]) => Promise<void>) => Promise<void>

/** On this machine there is a lock. */
const nobodyElse: TakeOver = () => Promise.resolve()

/**
 * The engine of an environment, where the logs and volumes of what it runs are, and what only the supervisor can do or
 * see (`discard` and `tampering` of `LocalEngine`); opens nothing yet.
 */
export function engineOf({ environment, dataDirectory, clock, random }: EngineGround) {
  const { name, engine } = environment
  const supervisor = localEngine({ dataDirectory, request: requestOverSocket })
  const { discard, tampering } = supervisor
  const socketPath = socketOf({ engine })
  if (socketPath === null) {
    const volumes = volumeDirectories(join(dataDirectory, 'volumes'), {
      remove: (volume) => discard(`volumes/${volume}`),
      measure: (volume) => supervisor.measure(`volumes/${volume}`),
    })
    return {
      engine: supervisor,
      logs: logFiles,
      volumes,
      images: null,
      discard,
      tampering,
      takeOver: nobodyElse,
    }
  }
  const owner = () => houseIdOf(dataDirectory, random)
  const swarm = swarmEngine({ environment: name, owner, socketPath, supervisor, files: logFiles, clock })
  const takeOver: TakeOver = async (tell) => {
    if (!(await isTakeOverAsked(dataDirectory))) return
    const from = await claimGroups(socketPath, { environment: name, id: await owner() })
    await tell(from)
    await forgetTakeOver(dataDirectory)
  }
  const { logs, volumes, images } = swarm
  return { engine: swarm, logs, volumes, images, discard, tampering, takeOver }
}
