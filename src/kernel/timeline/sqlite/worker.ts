import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { assert, plainError } from '../../std/index.ts'
import { timelineFailure } from './failures.ts'
import { openForReading, openForWriting, settlePath, takeLock } from './file.ts'
import type { OpenAsk, Opened } from './protocol.ts'
import { createReader } from './reader.ts'
import { headFrom, headQuery } from './schema.ts'
import { createWriter } from './writer.ts'

type AnyHandlers = Readonly<Record<string, (ask: never) => unknown>>

interface Message {
  /** Absent: a note, which is not answered. */
  readonly call?: number
  readonly name: string
  readonly ask: never
}

interface Begun {
  readonly opened: Opened
  readonly handlers: AnyHandlers
}

function beginWriting({ path: asked, maxFileBytes }: OpenAsk): Begun {
  const path = settlePath(asked)
  const lock = takeLock(path)
  try {
    const db = openForWriting(path, maxFileBytes)
    const writer = createWriter(db)
    const close = (): null => {
      writer.close(null)
      lock.close()
      return null
    }
    return {
      opened: { path, head: headFrom(db.prepare(headQuery).get()) },
      handlers: { ...writer, close },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

function beginReading({ path }: OpenAsk): Begun {
  const db = openForReading(path)
  return { opened: { path, head: headFrom(db.prepare(headQuery).get()) }, handlers: createReader(db) }
}

function serve(port: MessagePort, begin: (ask: OpenAsk) => Begun): void {
  let path = ''
  let handlers: AnyHandlers = {
    close: () => null,
    open: (ask: OpenAsk) => {
      path = ask.path
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
      return { error: plainError(timelineFailure(error, path)) }
    }
  }
  port.on('message', (message: Message) => {
    if (message.call === undefined) return void handlers[message.name]?.(message.ask)
    port.postMessage({ call: message.call, ...answer(message) })
    if (message.name === 'close') port.close()
  })
}

assert(parentPort !== null, 'the timeline worker runs in a worker thread')
serve(parentPort, workerData === 'writer' ? beginWriting : beginReading)
