import { flushCompileCache } from 'node:module'
import { HoldfastError, plainError, asHoldfastError, type JsonObject } from '../../kernel/std/index.ts'
import { controlPlan, type ControlPlan } from './config.ts'
import { noteFailedStart } from './failed-start.ts'
import { createLog } from './log.ts'
import { startControl, type Composed, type Control } from './process.ts'

/** What the process knows when it asks for its composition. */
export interface ServeGround {
  readonly dataDirectory: string
  /** Where the inherited socket listens; put it into the settings. */
  readonly plan: ControlPlan
  /** Ends control in order, once the answer that is under way has left; the supervisor starts it again. */
  readonly endControl: () => void
}

/** How long an answer that is under way has to leave before `endControl` ends the process. */
const answerPatienceMs = 100

/** Services may pass through the data directory when they have users of their own. */
const ownEyesOnly = 0o077

function needed(name: string): string {
  const value = process.env[name]
  if (value !== undefined && value !== '') return value
  throw new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `control was started without ${name}`,
    hint: 'it is started by "holdfast up", not by hand',
    path: name,
  })
}

function readPlan(): ControlPlan {
  const text = needed('HOLDFAST_CONTROL')
  try {
    return controlPlan.parse(JSON.parse(text))
  } catch (cause) {
    throw new HoldfastError({
      code: 'configuration.invalid',
      kind: 'user',
      message: 'HOLDFAST_CONTROL is not a plan for control',
      path: 'HOLDFAST_CONTROL',
      cause,
    })
  }
}

/**
 * The process: starts control as the supervisor's variables say and ends it in order at SIGTERM or SIGINT. Whatever
 * nobody caught ends the process at once, as a kill would: nothing acknowledged is lost and the supervisor starts it again.
 */
export async function serveControl(
  version: string,
  compose: (ground: ServeGround) => Promise<Composed>,
): Promise<void> {
  process.umask(ownEyesOnly)
  const log = createLog()
  const fail = (message: string, error: unknown): never => {
    const details = { ...plainError(error), stack: asHoldfastError(error).stack ?? '' }
    log.error(details as unknown as JsonObject, message)
    process.exit(1)
  }
  process.on('uncaughtException', (error) => fail('control ends: nobody caught an error', error))
  const started: { control?: Promise<Control> } = {}
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    log.info({ why }, 'control stops')
    const stopped = started.control?.then((control) => control.stop()) ?? Promise.resolve()
    stopped.then(
      () => process.exit(0),
      (error: unknown) => fail('control did not stop cleanly', error),
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal))
  const endControl = (): void => void setTimeout(() => end('asked by an operation'), answerPatienceMs)
  try {
    const dataDirectory = needed('HOLDFAST_DATA')
    const composed = await compose({ dataDirectory, plan: readPlan(), endControl })
    started.control = startControl({ dataDirectory, version, composed, log })
    await started.control
    // By itself Node does so at the end of a process, to which one that is killed never comes.
    flushCompileCache()
  } catch (error) {
    const dataDirectory = process.env['HOLDFAST_DATA'] ?? ''
    if (dataDirectory !== '') await noteFailedStart(dataDirectory, error)
    fail('control did not start', error)
  }
}
