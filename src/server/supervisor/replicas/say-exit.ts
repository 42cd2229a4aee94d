import type { Exit } from '../machine/launch.ts'

/** What is known besides the exit itself. */
export interface ExitCircumstances {
  /** The kernel killed a member of its group for want of memory. */
  readonly outOfMemory: boolean
  /** Its bound on memory; null: none. */
  readonly memoryMiB: number | null
}

/** Says how a replica ended. */
export function sayExit(exit: Exit, circumstances: ExitCircumstances): string {
  if (exit.signal === 'SIGKILL' && circumstances.outOfMemory) {
    const { memoryMiB } = circumstances
    return memoryMiB === null
      ? 'killed: the machine ran out of memory'
      : `killed: it used more than ${memoryMiB} MiB of memory`
  }
  const memory = circumstances.outOfMemory
    ? ' (the kernel killed one of its processes for want of memory)'
    : ''
  return `${sayPlain(exit)}${memory}`
}

function sayPlain(exit: Exit): string {
  if (exit.signal !== null) return `killed by ${exit.signal}`
  if (exit.code === null) return 'ended; it had been adopted, so its exit code is not known'
  if (exit.code === 0) return 'ended with code 0, but a service is not to end by itself'
  if (exit.code === 126) return 'ended with code 126: a program could not be executed'
  if (exit.code === 127) return 'ended with code 127: a program was not found'
  return `ended with code ${exit.code}`
}
