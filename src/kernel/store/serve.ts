import { flushCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'
import { assert, plainError } from '../std/index.ts'
import type { Calls } from './channel.ts'

/** Code that hears notes. */
export type Hearers<N> = { readonly [Name in keyof N]: (note: N[Name]) => void }

/** Code that answers calls. */
export type Handlers<C extends Calls<C>> = { readonly [N in keyof C]: (ask: C[N]['ask']) => C[N]['answer'] }

type AnyHandlers = Readonly<Record<string, (ask: never) => unknown>>

interface Message {
  /** Absent: a note, which is not answered. */
  readonly call?: number
  readonly name: string
  readonly ask: never
}

/** What the first call begins. */
export interface Begun {
  /** Its answer. */
  readonly opened: unknown
  /** What answers the other calls, `close` among them. */
  readonly handlers: AnyHandlers
}

/**
 * Answers the calls of a channel in this worker. The first one, `open`, is answered by `begin`; whatever a call throws
 * goes through `failure`, which also sees what `open` was asked.
 */
export function serveChannel<Ask>(
  begin: (ask: Ask) => Begun,
  failure: (error: unknown, opened: Ask) => unknown,
): void {
  assert(parentPort !== null, 'a channel is served in a worker thread')
  const port = parentPort
  let asked: Ask
  let handlers: AnyHandlers = {
    close: () => null,
    open: (ask: Ask) => {
      asked = ask
      const begun = begin(ask)
      handlers = begun.handlers
      return begun.opened
    },
  }
  /** Runs one call, turning whatever it throws into a plain error. */
  const answer = ({ name, ask }: Message): object => {
    try {
      return { answer: handlers[name]?.(ask) }
    } catch (error) {
      return { error: plainError(failure(error, asked)) }
    }
  }
  port.on('message', (message: Message) => {
    if (message.call === undefined) return void handlers[message.name]?.(message.ask)
    port.postMessage({ call: message.call, ...answer(message) })
    // By itself Node does so at the end of a thread, to which that of a killed process never comes.
    if (message.name === 'open') flushCompileCache()
    if (message.name === 'close') port.close()
  })
}
