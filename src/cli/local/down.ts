import { HoldfastError } from '../../kernel/std/index.ts'
import { dropRebuilds } from '../../server/rebuild/index.ts'
import { isRunning, stopSupervisor } from '../../server/supervisor/index.ts'
import type { Voice } from '../output/index.ts'
import { createTerminal } from './terminal.ts'

/** `holdfast down`: stops everything that runs on a data directory. Resolves to the exit code. */
export async function down(dataDirectory: string, voice: Voice): Promise<number> {
  const terminal = createTerminal(voice.json ? process.stderr : process.stdout, process.env)
  if ((await isRunning(dataDirectory)) === null) {
    throw new HoldfastError({
      code: 'supervisor.unreachable',
      kind: 'user',
      message: `no Holdfast runs on ${dataDirectory}`,
      hint: 'name another data directory with --data',
    })
  }
  terminal.doing('stopping everything')
  await stopSupervisor(dataDirectory)
  await dropRebuilds(dataDirectory)
  terminal.done('everything was stopped')
  if (voice.json) voice.document({ dataDirectory, stopped: true })
  return 0
}
