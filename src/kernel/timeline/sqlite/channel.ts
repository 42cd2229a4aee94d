import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorFromPlain, HoldfastError, type PlainError } from '../../std/index.ts'
import type { Calls, Role } from './protocol.ts'

/** Most calls that may wait for one worker. */
const maxWaiting = 10_000

/** A worker thread that answers calls, in the order in which they are made. */
export interface Channel<C extends Calls<C>, Notes> {
  /** Errors: those of the call; `timeline.full`, `timeline.closed`. */
  call<N extends keyof C & string>(name: N, ask: C[N]['ask']): Promise<C[N]['answer']>
  /** Tells the worker something that it does not answer. */
  tell<N extends keyof Notes & string>(name: N, note: Notes[N]): void
  /** How many calls wait for an answer. */
  readonly waiting: number
  /** Ends the thread after all that was asked of it is answered. */
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

interface Reply {
  readonly call: number
  readonly answer?: unknown
  readonly error?: PlainError
}

/** Starts a worker. It loads its code meanwhile; the first call is `open`, and whoever fails to open still closes. */
export function startChannel<C extends Calls<C>, Notes>(role: Role): Channel<C, Notes> {
  const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
    workerData: role,
    name: `timeline-${role}`,
    // Flags of the process (`--eval`, `--input-type`) are about its own entry, not about ours.
    execArgv: [],
  })
  const waiting = new Map<number, Waiting>()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = { error: null as HoldfastError | null }
  const fail = (cause?: unknown): void => {
    end.error ??= stopped(cause)
    for (const { reject } of waiting.values()) reject(end.error)
    waiting.clear()
  }
  worker.on('message', (reply: Reply) => settle(waiting, reply))
  worker.on('error', fail)
  worker.on('exit', () => fail())

  let lastCall = 0
  const call: Channel<C, Notes>['call'] = (name, ask) =>
    new Promise((resolve, reject) => {
      if (end.error !== null) return reject(end.error)
      if (waiting.size >= maxWaiting) return reject(overloaded())
      lastCall++
      waiting.set(lastCall, { resolve, reject })
      worker.postMessage({ call: lastCall, name, ask })
    })
  return {
    call,
    tell: (name, note) => worker.postMessage({ name, ask: note }),
    get waiting() {
      return waiting.size
    },
    close: async () => {
      await call('close' as keyof C & string, null)
      await exited
    },
  }
}

function settle(waiting: Map<number, Waiting>, { call, answer, error }: Reply): void {
  const asked = waiting.get(call)
  waiting.delete(call)
  if (error === undefined) asked?.resolve(answer as never)
  else asked?.reject(errorFromPlain(error))
}

function stopped(cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'timeline.closed',
    kind: 'operational',
    message: 'the thread of the timeline has ended',
    ...(cause === undefined ? {} : { hint: 'restart the process that keeps the timeline' }),
    cause,
  })
}

function overloaded(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.full',
    kind: 'operational',
    message: `${maxWaiting} calls wait for the timeline already`,
    hint: 'ask less often, or look why the disk is slow',
  })
}
