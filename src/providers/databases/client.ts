import type {
  ManagedDatabase,
  ProgramEnd,
  ProgramRun,
  RunInside,
} from '../../capabilities/environment/ports.ts'
import { inImage } from './in-image.ts'
import { runProgram } from './run-program.ts'

/** A call of a client of a database. */
export interface ClientCall extends ProgramRun {
  /** As it is called on PATH. */
  readonly program: string
  /** Where it lies on this machine, when it is not looked for. */
  readonly path?: string
  readonly args: readonly string[]
  /** What it reads. */
  readonly input?: string
}

/** Runs a client beside its server: on this machine, or in the container of that; never throws. */
export type Client = (database: ManagedDatabase, call: ClientCall) => Promise<ProgramEnd>

/** What it reads comes in a variable: a pipe into a container would have to be taken over from HTTP. */
const withInput = `printf %s "$HOLDFAST_INPUT" | env -u HOLDFAST_INPUT "$@"`

/** Clients of servers in containers are run there. */
export function clientWith(runInside: RunInside): Client {
  return (database, { program, path = program, args, input = '', variables = {}, timeoutMs }) => {
    if (!database.isContained) return runProgram(path, args, { variables, input, timeoutMs })
    const command = inImage(['/bin/sh', '-c', withInput, program, program, ...args])
    return runInside(database.name, command, {
      variables: { ...variables, HOLDFAST_INPUT: input },
      timeoutMs,
    })
  }
}
