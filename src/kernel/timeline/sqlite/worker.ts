import { workerData } from 'node:worker_threads'
import { openMark, serveChannel, type Begun } from '../../store/index.ts'
import { timelineFailure } from './failures.ts'
import { openForReading, openForWriting, settlePath, takeLock } from './file.ts'
import type { OpenAsk } from './protocol.ts'
import { createReader } from './reader.ts'
import { headFrom, headQuery } from './schema.ts'
import { createWriter } from './writer.ts'

function beginWriting({ path: asked, maxFileBytes }: OpenAsk): Begun {
  const path = settlePath(asked)
  const lock = takeLock(path)
  try {
    const db = openForWriting(path, maxFileBytes)
    const mark = openMark(path)
    const writer = createWriter(db, mark)
    const close = (): null => {
      writer.close(null)
      mark.close()
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

serveChannel(workerData === 'writer' ? beginWriting : beginReading, (error, { path }: OpenAsk) =>
  timelineFailure(error, path),
)
