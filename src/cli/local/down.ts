import { HoldfastError } from '../../kernel/std/index.ts'
import { isRunning, stopSupervisor } from '../../server/supervisor/index.ts'
import { createTerminal } from './terminal.ts'

/** `holdfast down`: stops everything that runs on a data directory. Resolves to the exit code. */
export async function down(dataDirectory: string): Promise<number> {
  const terminal = createTerminal(process.stdout, process.env)
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
  terminal.done('everything was stopped')
  return 0
}
