import { serveChannel } from '../../kernel/store/index.ts'
import { journalFailure } from './failures.ts'
import { openFile } from './file.ts'
import type { OpenAsk } from './protocol.ts'
import { createWriter, readKept } from './writer.ts'

serveChannel(
  (ask: OpenAsk) => {
    const db = openFile(ask.path, ask.maxFileBytes)
    try {
      const { kept, end } = readKept(db, ask)
      return { opened: kept, handlers: { ...createWriter(db, end) } }
    } catch (error) {
      db.close()
      throw error
    }
  },
  (error, { path }) => journalFailure(error, path),
)
