import { appendFileSync } from 'node:fs'
import { plainError, systemClock } from '../../kernel/std/index.ts'
import { createDirectories, dataLayout, processLog } from './paths.ts'
import { parsePlan } from './plan.ts'
import { startSupervisor } from './supervisor.ts'

/** Exit code when it could not start; its last words are in `logs/supervisor.log` and on standard error. */
const EXIT_FAILED = 1

async function main(): Promise<void> {
  const plan = parsePlan(process.argv[2] ?? process.env['HOLDFAST_PLAN'] ?? '')
  delete process.env['HOLDFAST_PLAN']
  const layout = dataLayout(plan.dataDirectory)
  createDirectories(layout)
  const say = (text: string): void => {
    const time = new Date(systemClock.now()).toISOString()
    appendQuietly(processLog(layout, 'supervisor'), `${time} ${text}\n`)
  }
  // The terminal's end is the business of `up`, which lives in it.
  process.on('SIGHUP', () => undefined)
  process.on('uncaughtException', (error) => say(`unexpected: ${error.stack ?? error.message}`))
  process.on('unhandledRejection', (error) => say(`unexpected: ${String((error as Error).stack ?? error)}`))
  const supervisor = await startSupervisor(plan, systemClock)
  say(`supervisor ${plan.version} (pid ${process.pid}) runs`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void supervisor.stop(true))
  const exitCode = await supervisor.stopped
  say('supervisor stopped')
  process.exit(exitCode)
}

/** A full disk must not end the one process that keeps the others alive. */
function appendQuietly(path: string, text: string): void {
  try {
    appendFileSync(path, text, { mode: 0o600 })
  } catch {
    // Nowhere left to say it.
  }
}

main().catch((error: unknown) => {
  const { code, message, hint } = plainError(error)
  process.stderr.write(`${message}${hint === undefined ? '' : ` ${hint}`} (${code})\n`)
  process.exit(EXIT_FAILED)
})
