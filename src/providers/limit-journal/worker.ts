import { openMark, readMark, serveChannel } from '../../kernel/store/index.ts'
import { journalFailure } from './failures.ts'
import { openFile } from './file.ts'
import type { OpenAsk } from './protocol.ts'
import { createWriter, readKept } from './writer.ts'

serveChannel(
  (ask: OpenAsk) => {
    const db = openFile(ask.path, ask.maxFileBytes)
    try {
      const { kept, end } = readKept(db, ask)
      const forgotten = Math.max(0, (readMark(ask.path)?.number ?? 0) - end.number)
      // The mark stays until the first commit: whoever is told of what is forgotten has to have said so by then.
      return { opened: { ...kept, forgotten }, handlers: { ...createWriter(db, end, openMark(ask.path)) } }
    } catch (error) {
      db.close()
      throw error
    }
  },
  (error, { path }) => journalFailure(error, path),
)
