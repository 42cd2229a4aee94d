import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'

/** How a program is run to its end. */
export interface ProgramRun {
  /** Beside PATH and HOME. */
  readonly variables?: Readonly<Record<string, string>>
  /** What it reads. */
  readonly input?: string
  readonly timeoutMs: number
}

/** What a program left. */
export interface ProgramEnd {
  /** Null: it could not be run, was killed, or took too long. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const mostBytes = 1_048_576

/** Runs a program to its end; never throws. */
export function runProgram(
  program: string,
  args: readonly string[],
  { variables = {}, input = '', timeoutMs }: ProgramRun,
): Promise<ProgramEnd> {
  const { PATH = '', HOME = '/' } = process.env
  const options = { env: { PATH, HOME, ...variables }, timeout: timeoutMs, maxBuffer: mostBytes }
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { ...options, cwd: '/' }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ code, out, err: err === '' && code === null ? (error?.message ?? '') : err })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** The last line that is not empty, for a sentence. */
export function lastLine({ out, err }: ProgramEnd): string {
  const lines = `${out}\n${err}`.split('\n').map((line) => line.trim())
  return lines.findLast((line) => line !== '') ?? 'it said nothing'
}

/** The lines that it wrote, without empty ones; null: it failed. */
export function linesOf({ code, out }: ProgramEnd): readonly string[] | null {
  return code === 0 ? out.split('\n').filter((line) => line !== '') : null
}

/** Where a program lies: the first of these directories, then of the search path. Null: nowhere. */
export async function findProgram(
  program: string,
  directories: readonly string[],
  searchPath: string,
): Promise<string | null> {
  const places = [...directories, ...searchPath.split(delimiter).filter((place) => place !== '')]
  for (const place of places) {
    const file = join(place, program)
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  return null
}

/** A server that answers and does not do what it is told. */
export function refuses(database: string, end: ProgramEnd): HoldfastError {
  return new HoldfastError({
    code: 'environment.database-refuses',
    kind: 'operational',
    message: `database ${database} does not let its users and databases be made: ${lastLine(end)}`,
    hint: `see "holdfast logs ${database}"`,
  })
}
