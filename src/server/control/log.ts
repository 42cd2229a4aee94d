import { writeSync } from 'node:fs'
import { pino, type DestinationStream } from 'pino'
import type { Log } from '../../kernel/capability/index.ts'

/** Standard output, which is a file. What a full disk has no room for is dropped: a log line must not end control. */
const standardOutput: DestinationStream = {
  write: (line) => {
    try {
      writeSync(1, line)
    } catch {
      // Nowhere left to say it.
    }
  },
}

/** A log of JSON lines with levels and times. */
export function createLog(destination: DestinationStream = standardOutput): Log {
  const logger = pino({ base: { process: 'control' }, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  return {
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
  }
}
