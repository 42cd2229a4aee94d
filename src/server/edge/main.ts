import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { plainError, systemClock } from '../../kernel/std/index.ts'
import { runEdge, type EdgeProcess } from './edge-process.ts'
import { readSettings } from './settings.ts'

const drainDeadlineMs = 9000
/** Shorter: whoever comes anew waits for the next process. */
const restartDeadlineMs = 3000

/** Services may pass through the data directory when they have users of their own. */
const ownEyesOnly = 0o077

/** What a full disk has no room for is dropped: a log line must not end the edge. */
function say(message: string): void {
  const at = new Date(systemClock.now()).toISOString()
  try {
    writeSync(1, `${JSON.stringify({ time: at, process: 'edge', msg: message })}\n`)
  } catch {
    // Nowhere left to say it.
  }
}

async function end(running: EdgeProcess, why: string, deadlineMs = drainDeadlineMs): Promise<void> {
  say(`ending: ${why}`)
  await running.stop(deadlineMs)
  process.exit(0)
}

async function main(): Promise<void> {
  process.umask(ownEyesOnly)
  const settings = readSettings(process.env)
  const onExhausted = (why: string): void => {
    say(`no descriptor is left to replace a thread with: ${why}`)
    process.exit(1)
  }
  const onRestart = (why: string): void => void end(running, why, restartDeadlineMs)
  const running = await runEdge({ settings, say, onExhausted, onRestart })
  process.once('SIGTERM', () => void end(running, 'told to'))
  process.once('SIGINT', () => void end(running, 'interrupted'))
  // By itself Node does so at the end of a process, to which one that is killed never comes.
  flushCompileCache()
}

main().catch((error: unknown) => {
  say(plainError(error).message)
  process.exit(1)
})
