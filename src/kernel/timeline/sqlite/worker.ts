import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { assert, plainError } from '../../std/index.ts'
import { timelineFailure } from './failures.ts'
import { openForReading, openForWriting, settlePath, takeLock } from './file.ts'
import type { WorkerSettings } from './protocol.ts'
import { createReader } from './reader.ts'
import { headFrom, headQuery } from './schema.ts'
import { createWriter } from './writer.ts'

type AnyHandlers = Readonly<Record<string, (ask: never) => unknown>>

/** Runs one call, turning whatever it throws into a plain error. */
function attempt(path: string, act: () => unknown): object {
  try {
    return { answer: act() }
  } catch (error) {
    return { error: plainError(timelineFailure(error, path)) }
  }
}

interface Message {
  /** Absent: a note, which is not answered. */
  readonly call?: number
  readonly name: string
  readonly ask: never
}

function serve(port: MessagePort, path: string, handlers: AnyHandlers): void {
  port.on('message', ({ call, name, ask }: Message) => {
    if (call === undefined) return void handlers[name]?.(ask)
    port.postMessage({ call, ...attempt(path, () => handlers[name]?.(ask)) })
    if (name === 'close') port.close()
  })
}

function start(port: MessagePort, { role, path: asked, maxFileBytes }: WorkerSettings): void {
  const opened = attempt(asked, () => {
    if (role === 'reader') {
      const db = openForReading(asked)
      serve(port, asked, createReader(db))
      return null
    }
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
      serve(port, path, { ...writer, close })
      return { path, head: headFrom(db.prepare(headQuery).get()) }
    } catch (error) {
      lock.close()
      throw error
    }
  })
  port.postMessage({ call: 0, ...opened })
  if ('error' in opened) port.close()
}

assert(parentPort !== null, 'the timeline worker runs in a worker thread')
start(parentPort, workerData as WorkerSettings)
