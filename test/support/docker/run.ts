import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program to its end. */
export async function run(program: string, ...parts: readonly string[]): Promise<void> {
  await execute(program, [...parts])
}

/** The same, for what may have been done already. */
export async function tryRun(program: string, ...parts: readonly string[]): Promise<void> {
  await run(program, ...parts).catch(() => undefined)
}
