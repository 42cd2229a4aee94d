import { Worker } from 'node:worker_threads'
import { errorFromPlain, type HoldfastError, type PlainError } from '../std/index.ts'

/** Most calls that may wait for one worker. */
const maxWaiting = 10_000

/** A map of calls, by name: what is asked and what is answered. */
export type Calls<C> = { readonly [N in keyof C]: { readonly ask: unknown; readonly answer: unknown } }

/** How to start a worker. */
export interface ChannelOptions {
  /** The worker's module, which calls `serveChannel`. */
  readonly worker: URL
  /** Shown by debuggers. */
  readonly name: string
  /** What the worker finds in `workerData`. */
  readonly data: unknown
  /** What calls fail with when the thread has ended; `cause` is what it died of, if anything. */
  readonly ended: (cause: unknown) => HoldfastError
  /** What a call fails with when so many wait already. */
  readonly overloaded: (waiting: number) => HoldfastError
}

/** A worker thread that answers calls, in the order in which they are made. */
export interface Channel<C extends Calls<C>, Notes> {
  /** Errors: those of the call, and those of the options. */
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
export function startChannel<C extends Calls<C>, Notes>(options: ChannelOptions): Channel<C, Notes> {
  const worker = new Worker(options.worker, {
    workerData: options.data,
    name: options.name,
    // Flags of the process (`--eval`, `--input-type`) are about its own entry, not about ours.
    execArgv: [],
  })
  const waiting = new Map<number, Waiting>()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = { error: null as HoldfastError | null }
  const fail = (cause?: unknown): void => {
    end.error ??= options.ended(cause)
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
      if (waiting.size >= maxWaiting) return reject(options.overloaded(maxWaiting))
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
