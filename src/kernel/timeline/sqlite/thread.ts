import { extname } from 'node:path'
import { HoldfastError } from '../../std/index.ts'
import { startChannel, type Calls, type Channel } from '../../store/index.ts'
import type { Role } from './protocol.ts'

/** Starts a thread of the timeline. Errors of its calls, beside their own: `timeline.full`, `timeline.closed`. */
export function startThread<C extends Calls<C>, Notes>(role: Role): Channel<C, Notes> {
  return startChannel<C, Notes>({
    worker: new URL(`./worker${extname(import.meta.url)}`, import.meta.url),
    name: `timeline-${role}`,
    data: role,
    ended,
    overloaded,
  })
}

function ended(cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.closed',
    kind: 'operational',
    message: 'the thread of the timeline has ended',
    ...(cause === undefined ? {} : { hint: 'restart the process that keeps the timeline' }),
    cause,
  })
}

function overloaded(waiting: number): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `${waiting} calls wait for the timeline already`,
    hint: 'ask less often, or look why the disk is slow',
  })
}
