import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { HoldfastError, systemCode } from '../../kernel/std/index.ts'

function cannotRead(file: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'cli.no-file',
    kind: 'user',
    message: `${file} cannot be read (${systemCode(cause) ?? 'unknown reason'})`,
    hint: 'name the export with --file, or the data directory with --data',
    cause,
  })
}

/** The lines of a text file, one at a time. Errors: `cli.no-file`. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file)
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw systemCode(error) === undefined ? error : cannotRead(file, error)
  } finally {
    stream.destroy()
  }
}
