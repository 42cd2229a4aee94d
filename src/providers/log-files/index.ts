import type { LogReader } from '../../capabilities/environment/ports.ts'
import { follow } from './follow.ts'
import { tail } from './tail.ts'

/** Reads the log files of replicas. */
export const logFiles: LogReader = { tail, follow }
