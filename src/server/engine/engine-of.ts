import { join } from 'node:path'
import type { Clock } from '../../kernel/std/index.ts'
import { swarmEngine } from '../../providers/docker-swarm/index.ts'
import { localEngine } from '../../providers/local-engine/index.ts'
import { logFiles } from '../../providers/log-files/index.ts'
import { requestOverSocket } from '../../providers/unix-http/index.ts'
import { volumeDirectories } from '../../providers/volume-directories/index.ts'
import type { EnvironmentFile } from '../composition/index.ts'

/** What engines are opened for. */
export interface EngineGround {
  readonly environment: Pick<EnvironmentFile, 'name' | 'engine'>
  readonly dataDirectory: string
  readonly clock: Clock
}

/**
 * The engine of an environment, where the logs and volumes of what it runs are, and what only the supervisor can do or
 * see (`discard` and `tampering` of `LocalEngine`); opens nothing yet.
 */
export function engineOf({ environment, dataDirectory, clock }: EngineGround) {
  const { name, engine } = environment
  const supervisor = localEngine({ dataDirectory, request: requestOverSocket })
  const { discard, tampering } = supervisor
  if (engine === 'local') {
    const volumes = volumeDirectories(join(dataDirectory, 'volumes'), {
      remove: (volume) => discard(`volumes/${volume}`),
      measure: (volume) => supervisor.measure(`volumes/${volume}`),
    })
    return { engine: supervisor, logs: logFiles, volumes, discard, tampering }
  }
  const socketPath = engine.swarm.slice('unix://'.length)
  const swarm = swarmEngine({ environment: name, socketPath, supervisor, files: logFiles, clock })
  return { engine: swarm, logs: swarm.logs, volumes: swarm.volumes, discard, tampering }
}
