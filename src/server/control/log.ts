import { pino, type DestinationStream } from 'pino'
import type { Log } from '../../kernel/capability/index.ts'

/** A log of JSON lines with levels and times. */
export function createLog(destination: DestinationStream = pino.destination({ fd: 1, sync: true })): Log {
  const logger = pino({ base: { process: 'control' }, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  return {
    info: (details, message) => logger.info(details, message),
    warn: (details, message) => logger.warn(details, message),
    error: (details, message) => logger.error(details, message),
  }
}
